-- One-time links for who has no password: to begin as administrator, or to get back into an account.

CREATE TABLE link (
    hash    BLOB PRIMARY KEY,  -- SHA-256 of the token
    uid     INTEGER UNIQUE,    -- whose password it sets; NULL: it makes an administrator
    expires INTEGER NOT NULL   -- milliseconds since the Unix epoch
) STRICT, WITHOUT ROWID;
