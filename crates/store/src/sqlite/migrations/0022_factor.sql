-- Second factors (RFC 6238).

CREATE TABLE factor (
    uid   INTEGER PRIMARY KEY,
    seed  BLOB    NOT NULL,                  -- with the server's secret it makes the key
    since INTEGER NOT NULL,
    step  INTEGER NOT NULL                   -- of the last code that was used
) STRICT;
