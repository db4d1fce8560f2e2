-- Messages that the index of the full-text search is still to forget, in the order in which they were removed or emptied.

CREATE TABLE unindexed (
    n       INTEGER PRIMARY KEY,
    message INTEGER NOT NULL
) STRICT;
