-- What an account shows of itself and takes from strangers. Without a row: the defaults.

CREATE TABLE privacy (
    uid       INTEGER PRIMARY KEY,
    presence  INTEGER NOT NULL,              -- 0: everybody, 1: contacts, 2: nobody
    last      INTEGER NOT NULL,              -- the same, for last activity
    strangers INTEGER NOT NULL               -- 0: accept, 1: set aside, 2: refuse
) STRICT;

CREATE TABLE visibility (
    uid     INTEGER NOT NULL,
    jid     TEXT    NOT NULL,
    visible INTEGER NOT NULL,                -- 1: sees the account also when it shows itself to nobody, 0: never
    PRIMARY KEY (uid, jid)
) STRICT, WITHOUT ROWID;

-- Strangers that the account has written to, in that order.
CREATE TABLE answered (
    id  INTEGER PRIMARY KEY,
    uid INTEGER NOT NULL,
    jid TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX answered_jid ON answered (uid, jid);

CREATE INDEX log_request ON log (uid, peer, useq) WHERE flags & 256;   -- 256: REQUEST
