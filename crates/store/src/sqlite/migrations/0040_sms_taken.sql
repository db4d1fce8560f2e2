-- What phones wrote a short while ago: a carrier that did not hear that it was taken brings it again.
CREATE TABLE sms_taken (
    name TEXT    PRIMARY KEY,                -- of who wrote, to whom, by which carrier, and what: a digest
    line TEXT    NOT NULL,                   -- the connection that it came by
    id   TEXT    NOT NULL,                   -- what it is called in the log
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sms_taken_at ON sms_taken (at);
