-- Block lists at services as they were known last, so that they hold before their services come back.

CREATE TABLE block_list (
    name   TEXT NOT NULL PRIMARY KEY,
    hashes BLOB NOT NULL                     -- one after the other
) STRICT;
