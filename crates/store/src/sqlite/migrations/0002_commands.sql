-- Who administers the server.

CREATE TABLE admin (
    uid INTEGER PRIMARY KEY
) STRICT;
