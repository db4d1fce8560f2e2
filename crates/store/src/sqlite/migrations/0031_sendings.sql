-- What is told people who are not here, by ways beside ours: the queue, and what became of it.
CREATE TABLE sending (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,  -- carriers speak of it later: never given again
    uid      INTEGER NOT NULL,                   -- who is to be reached
    way      INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    urgency  INTEGER NOT NULL,
    matter   INTEGER,                            -- the case that it is about; NULL: none
    title    TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    code     TEXT    NOT NULL,                   -- what acknowledges it; empty: nothing does
    at       INTEGER NOT NULL,
    state    INTEGER NOT NULL DEFAULT 0,
    changed  INTEGER NOT NULL,                   -- since when it is in this state
    next     INTEGER NOT NULL,                   -- not before
    attempts INTEGER NOT NULL DEFAULT 0,
    trouble  TEXT    NOT NULL DEFAULT '',        -- what the last attempt met
    carrier  TEXT                                -- what the carrier calls it
) STRICT;

CREATE INDEX sending_waits ON sending (way, urgency DESC, next) WHERE state = 0;
CREATE INDEX sending_under_way ON sending (id) WHERE state = 1;
CREATE INDEX sending_account ON sending (uid, at);
CREATE INDEX sending_at ON sending (at);
CREATE INDEX sending_matter ON sending (matter) WHERE matter IS NOT NULL;
CREATE INDEX sending_carrier ON sending (way, carrier) WHERE carrier IS NOT NULL;
