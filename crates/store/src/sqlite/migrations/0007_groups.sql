-- Groups: rooms, and who stands how to them. A room's archive is the log under its number.

CREATE TABLE room (
    uid        INTEGER PRIMARY KEY,
    name       TEXT    UNIQUE,               -- what stands in its address; NULL: its number
    config     TEXT    NOT NULL,
    lasting    INTEGER NOT NULL,             -- 0: goes with its last occupant
    listed     INTEGER NOT NULL,             -- 1: everybody may find it
    created    INTEGER NOT NULL,
    created_by TEXT,                         -- NULL: the operator
    epoch      INTEGER NOT NULL,
    subject    TEXT,                         -- with the next two; NULL: it was never set
    subject_by TEXT,
    subject_at INTEGER
) STRICT;

CREATE INDEX room_listed ON room (uid) WHERE listed;
CREATE INDEX room_passing ON room (uid) WHERE NOT lasting;
CREATE INDEX room_creator ON room (created_by);

CREATE TABLE room_affiliate (
    room        INTEGER NOT NULL,
    jid         TEXT    NOT NULL,
    affiliation INTEGER NOT NULL,            -- 0: outcast, 1: none, 2: member, 3: admin, 4: owner
    nick        TEXT,                        -- reserved for this one
    reason      TEXT,
    PRIMARY KEY (room, jid)
) STRICT, WITHOUT ROWID;

CREATE INDEX room_affiliate_jid ON room_affiliate (jid);
CREATE UNIQUE INDEX room_affiliate_nick ON room_affiliate (room, nick) WHERE nick IS NOT NULL;
