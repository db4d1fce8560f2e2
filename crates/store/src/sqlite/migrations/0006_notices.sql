-- What administrators tell everybody.

CREATE TABLE notice (
    name TEXT    NOT NULL PRIMARY KEY,       -- 'motd', 'welcome'
    text TEXT    NOT NULL,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Announcements on their way into the logs of all accounts.
CREATE TABLE announcement (
    id      INTEGER PRIMARY KEY,
    subject TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    after   INTEGER NOT NULL,                -- accounts up to here have it
    sent    INTEGER NOT NULL
) STRICT;
