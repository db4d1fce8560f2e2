-- Groups of people of whom one is on duty.
CREATE TABLE duty (
    name     TEXT    PRIMARY KEY,            -- what is paged, in lower case
    zone     TEXT    NOT NULL,               -- a name of the IANA time zone database
    days     INTEGER NOT NULL,               -- how long a turn is
    minute   INTEGER NOT NULL,               -- of the day, at which it ends
    since    INTEGER NOT NULL,               -- the day on which the first turn began, counted from 1970-01-01
    patience INTEGER NOT NULL                -- seconds after which the next person is told
) STRICT, WITHOUT ROWID;

CREATE TABLE duty_person (
    duty  TEXT    NOT NULL,
    place INTEGER NOT NULL,                  -- in the order of the turns
    uid   INTEGER NOT NULL,
    PRIMARY KEY (duty, place)
) STRICT, WITHOUT ROWID;

-- Who is on duty instead, for a while.
CREATE TABLE duty_cover (
    duty  TEXT    NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    uid   INTEGER NOT NULL,
    PRIMARY KEY (duty, since, until)
) STRICT, WITHOUT ROWID;

-- Pages to such groups.
CREATE TABLE duty_page (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    duty   TEXT    NOT NULL,
    peer   TEXT    NOT NULL,                 -- the group, as an address inside
    caller INTEGER NOT NULL,                 -- the account that wrote; 0: it came from outside
    stanza TEXT    NOT NULL,                 -- the id of the message
    tag    INTEGER,                          -- of the call that asks for it
    body   BLOB    NOT NULL,                 -- the message as the next person gets it, too
    state  INTEGER NOT NULL DEFAULT 0,       -- 0: somebody is being told; 1: acknowledged; 2: nobody was reached
    step   INTEGER NOT NULL DEFAULT 0,       -- how many people were told after the first
    at     INTEGER NOT NULL,
    since  INTEGER NOT NULL,                 -- when the latest person was told
    next   INTEGER NOT NULL                  -- when it is looked at
) STRICT;

CREATE INDEX duty_page_next ON duty_page (next) WHERE state = 0;
CREATE INDEX duty_page_call ON duty_page (tag) WHERE tag IS NOT NULL AND state = 0;
CREATE INDEX duty_page_over ON duty_page (at) WHERE state > 0;
CREATE INDEX duty_page_caller ON duty_page (caller) WHERE caller > 0;

-- Who was told of a page.
CREATE TABLE duty_told (
    page  INTEGER NOT NULL,
    place INTEGER NOT NULL,
    uid   INTEGER NOT NULL,
    useq  INTEGER NOT NULL,                  -- the message in their log
    PRIMARY KEY (page, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX duty_told_person ON duty_told (uid, page);
