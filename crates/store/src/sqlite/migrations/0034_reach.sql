-- How people want to be reached who are not here, and what they are to be reached about.
CREATE TABLE reach_plan (
    uid        INTEGER PRIMARY KEY,
    active     INTEGER NOT NULL,
    zone       TEXT    NOT NULL,                 -- a name of the IANA time zone database
    quiet_from INTEGER,                          -- minutes of the day; NULL: no quiet hours
    quiet_to   INTEGER,
    urgent     INTEGER NOT NULL,                 -- who may be urgent
    content    INTEGER NOT NULL                  -- what sendings may say of a message
) STRICT;

CREATE TABLE reach_rule (
    uid     INTEGER NOT NULL,
    place   INTEGER NOT NULL,                    -- its place among the account's rules
    way     INTEGER NOT NULL,
    address TEXT    NOT NULL,
    after   INTEGER NOT NULL,                    -- seconds
    unread  INTEGER NOT NULL,                    -- 1: also while somebody is at a device
    least   INTEGER NOT NULL,
    since   INTEGER,                             -- minutes of the day; NULL: at all hours
    until   INTEGER,
    PRIMARY KEY (uid, place)
) STRICT, WITHOUT ROWID;

-- Who may reach an account beside its contacts, and be urgent.
CREATE TABLE reach_allowed (
    uid INTEGER NOT NULL,
    jid TEXT    NOT NULL,
    PRIMARY KEY (uid, jid)
) STRICT, WITHOUT ROWID;

-- Where an account can be reached.
CREATE TABLE reach_address (
    uid      INTEGER NOT NULL,
    way      INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    verified INTEGER NOT NULL,
    code     TEXT    NOT NULL,                   -- what proves it; empty: nothing, or not any more
    tries    INTEGER NOT NULL,                   -- wrong codes since
    at       INTEGER NOT NULL,                   -- when the code was made
    PRIMARY KEY (uid, way, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX reach_address_of ON reach_address (way, address) WHERE verified;

-- What somebody is to be reached about: messages of one conversation and one urgency that are not read.
CREATE TABLE reach_case (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    uid     INTEGER NOT NULL,                    -- who is to be reached
    peer    TEXT    NOT NULL,                    -- who wrote
    urgency INTEGER NOT NULL,
    first   INTEGER NOT NULL,                    -- the first position in the log that is not read
    last    INTEGER NOT NULL,
    since   INTEGER NOT NULL,                    -- when the first came
    state   INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL,
    next    INTEGER NOT NULL                     -- when it is to be looked at
) STRICT;

CREATE UNIQUE INDEX reach_case_open ON reach_case (uid, peer, urgency) WHERE state = 0;
CREATE INDEX reach_case_live ON reach_case (uid, peer) WHERE state <= 1;
CREATE INDEX reach_case_next ON reach_case (next) WHERE state <= 1;
CREATE INDEX reach_case_account ON reach_case (uid, id);
CREATE INDEX reach_case_over ON reach_case (changed) WHERE state > 1;
