-- Tickets of letters that were used and let in once: remembered until they would have expired.
CREATE TABLE ticket (
    hash    BLOB PRIMARY KEY,  -- SHA-256
    expires INTEGER NOT NULL   -- milliseconds since the Unix epoch
) STRICT, WITHOUT ROWID;

CREATE INDEX ticket_expires ON ticket (expires);
