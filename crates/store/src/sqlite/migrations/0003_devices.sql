-- The applications that an account signs in with, and the tokens that they sign in with.

CREATE TABLE device (
    uid        INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    software   TEXT,
    name       TEXT,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    address    INTEGER NOT NULL,             -- 0: local, 1: IPv4, 2: IPv6
    PRIMARY KEY (uid, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    uid       INTEGER NOT NULL,
    device    BLOB    NOT NULL,
    slot      INTEGER NOT NULL,              -- 0: in use, 1: given and not used yet
    seed      BLOB    NOT NULL,              -- the token is this and the server's secret
    mechanism INTEGER NOT NULL,
    issued    INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    count     INTEGER NOT NULL,              -- the last count that the device gave; 0: none
    PRIMARY KEY (uid, device, slot)
) STRICT, WITHOUT ROWID;
