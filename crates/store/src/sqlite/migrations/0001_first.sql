-- Accounts. A number is never given twice: `counter` remembers the last one, `deleted` those that are gone.

CREATE TABLE counter (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    uid          INTEGER PRIMARY KEY,
    name         TEXT    UNIQUE,
    primary_name INTEGER NOT NULL,           -- 1: the name is the address, 0: the number
    nick         TEXT,
    created      INTEGER NOT NULL,
    disabled     INTEGER NOT NULL DEFAULT 0,
    epoch        INTEGER NOT NULL,
    credentials  BLOB    NOT NULL
) STRICT;

CREATE TABLE deleted (
    uid    INTEGER PRIMARY KEY,
    erased INTEGER NOT NULL                  -- 0: log rows are still there
) STRICT;

CREATE INDEX deleted_unerased ON deleted (uid) WHERE erased = 0;

CREATE TABLE invite (
    hash       BLOB    NOT NULL PRIMARY KEY,
    expires    INTEGER NOT NULL,
    uses       INTEGER NOT NULL,             -- how many are left
    created_by INTEGER                       -- NULL: the operator
) STRICT, WITHOUT ROWID;

CREATE TABLE last (
    uid    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    status TEXT
) STRICT;

-- The timeline. Tables grow at their end; the indexes are narrow, for each costs a page write per message.

CREATE TABLE message (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    flags  INTEGER NOT NULL,                 -- those that come after the append: RETRACTED
    refs   INTEGER NOT NULL,                 -- log rows that point here; the body goes with the last
    sender INTEGER,                          -- with origin: the sender's name for it, hashed; NULL: has none
    origin INTEGER,
    stanza BLOB    NOT NULL
) STRICT;

CREATE INDEX message_origin ON message (sender, origin) WHERE origin IS NOT NULL;

CREATE TABLE log (
    id            INTEGER PRIMARY KEY,
    uid           INTEGER NOT NULL,
    useq          INTEGER NOT NULL,
    message       INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    flags         INTEGER NOT NULL,
    direction     INTEGER NOT NULL,          -- 0: in, 1: out
    peer          TEXT    NOT NULL,
    peer_resource TEXT,
    resource      TEXT
) STRICT;

CREATE UNIQUE INDEX log_position ON log (uid, useq);
CREATE INDEX log_peer ON log (uid, peer, useq) WHERE flags & 2;     -- 2: ARCHIVE
CREATE INDEX log_passing ON log (uid, useq) WHERE NOT flags & 2;
CREATE INDEX log_owed ON log (uid, useq) WHERE flags & 128;         -- 128: OWED

-- The head of a log is the greater of its last useq and `top`, so that no row is written for the head of each append.
CREATE TABLE position (
    uid       INTEGER PRIMARY KEY,
    floor     INTEGER NOT NULL DEFAULT 0,    -- all up to here was swept
    top       INTEGER NOT NULL DEFAULT 0,    -- the greatest useq that was removed as the last of its log
    delivered INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE stream (
    n       INTEGER PRIMARY KEY,
    id      BLOB    NOT NULL UNIQUE,
    uid     INTEGER NOT NULL,
    handled INTEGER NOT NULL
) STRICT;

CREATE INDEX stream_uid ON stream (uid);

-- What a user prefers.

CREATE TABLE archive_default (
    uid   INTEGER PRIMARY KEY,
    value INTEGER NOT NULL                   -- 0: always, 1: never, 2: roster
) STRICT;

CREATE TABLE archive_rule (
    uid    INTEGER NOT NULL,
    jid    TEXT    NOT NULL,
    always INTEGER NOT NULL,                 -- 1: always, 0: never
    PRIMARY KEY (uid, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE retention (
    uid  INTEGER PRIMARY KEY,
    days INTEGER NOT NULL
) STRICT;

CREATE TABLE block (
    uid INTEGER NOT NULL,
    jid TEXT    NOT NULL,
    PRIMARY KEY (uid, jid)
) STRICT, WITHOUT ROWID;

-- The roster. A removed item stays as a row for roster versioning, until `forgotten` has passed it.

CREATE TABLE roster (
    uid       INTEGER PRIMARY KEY,
    ver       INTEGER NOT NULL,
    forgotten INTEGER NOT NULL               -- changes up to here are not known any more
) STRICT;

CREATE TABLE roster_item (
    uid     INTEGER NOT NULL,
    jid     TEXT    NOT NULL,
    status  INTEGER NOT NULL,                -- 0: hidden, 1: shown, 2: removed
    name    TEXT,
    groups  TEXT    NOT NULL,                -- separated by U+001F
    state   INTEGER NOT NULL,
    ver     INTEGER NOT NULL,                -- the roster's version at the last shown change
    request BLOB,                            -- the subscribe stanza until it is answered
    PRIMARY KEY (uid, jid)
) STRICT, WITHOUT ROWID;
