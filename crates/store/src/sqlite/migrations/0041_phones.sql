-- With what people prove on a phone that it is they.
CREATE TABLE phone_pin (
    uid    INTEGER PRIMARY KEY,
    digest BLOB    NOT NULL,                 -- of the PIN, with the server's secret
    wrong  INTEGER NOT NULL,                 -- wrong ones since
    since  INTEGER NOT NULL                  -- when the first wrong one came
) STRICT;

-- What a phone was shown last: what numbers mean there, and what MORE goes on with.
CREATE TABLE phone_desk (
    phone  TEXT    PRIMARY KEY,
    uid    INTEGER NOT NULL,                 -- whose conversations these are
    listed TEXT    NOT NULL,                 -- lines of a position in the log, how many are unread, and an address
    item   INTEGER NOT NULL,                 -- what is being read, from 1; 0: the list is
    place  INTEGER NOT NULL,                 -- how far: bytes of a text, or items of the list
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX phone_desk_account ON phone_desk (uid);
CREATE INDEX phone_desk_at ON phone_desk (at);

-- Who is not at the devices that look as if somebody were.
ALTER TABLE reach_plan ADD COLUMN away INTEGER NOT NULL DEFAULT 0;
