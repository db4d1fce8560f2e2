-- Pager numbers of accounts, and the devices behind them.
CREATE TABLE pager (
    number   TEXT    PRIMARY KEY,            -- what is paged, in lower case
    uid      INTEGER NOT NULL,
    carrier  TEXT    NOT NULL,               -- as the configuration names it; empty: there is no device
    address  TEXT    NOT NULL,               -- what the carrier calls the device: an id, a RIC
    numeric  INTEGER NOT NULL,               -- it shows digits alone
    two_way  INTEGER NOT NULL,               -- it can answer
    length   INTEGER NOT NULL,               -- the signs that it shows
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX pager_account ON pager (uid, number);
