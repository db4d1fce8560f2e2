-- What people report to the administrators (XEP-0377), with copies of what it is about.

CREATE TABLE report (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice: it says up to where administrators were told
    at        INTEGER NOT NULL,
    reporter  INTEGER NOT NULL,
    reported  TEXT    NOT NULL,
    reason    INTEGER NOT NULL,              -- 0: spam, 1: abuse
    text      TEXT    NOT NULL,
    share     INTEGER NOT NULL,              -- with whom the reporter shares it: 1: the origin's server, 2: third parties
    closed    INTEGER,                       -- when; NULL: it waits
    closed_by TEXT    NOT NULL DEFAULT '',
    outcome   INTEGER NOT NULL DEFAULT 0     -- 0: dismissed, 1: account disabled, 2: address blocked, 3: server blocked, 4: messages removed
) STRICT;

CREATE INDEX report_waiting ON report (id) WHERE closed IS NULL;
CREATE INDEX report_closed ON report (closed) WHERE closed IS NOT NULL;
CREATE INDEX report_reporter ON report (reporter, id);
CREATE INDEX report_reported ON report (reported, id);

CREATE TABLE report_message (
    report  INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    message INTEGER NOT NULL,                -- the body, if it is still the same
    at      INTEGER NOT NULL,
    stanza  BLOB    NOT NULL,
    PRIMARY KEY (report, n)
) STRICT, WITHOUT ROWID;

-- Whom this server has nothing to do with: servers and addresses elsewhere.
CREATE TABLE denied (
    jid TEXT    NOT NULL PRIMARY KEY,
    at  INTEGER NOT NULL,
    who TEXT    NOT NULL                     -- who decided it
) STRICT, WITHOUT ROWID;
