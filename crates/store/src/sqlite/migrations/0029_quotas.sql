-- How much an account may store in files, where that is not what all may.

CREATE TABLE file_quota (
    uid   INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT;
