-- Folders of mail, as mail programs see them (IMAP). An account has them from the first visit of such a program on.
CREATE TABLE imap_account (
    uid      INTEGER PRIMARY KEY,
    validity INTEGER NOT NULL,               -- the greatest UIDVALIDITY given
    filed    INTEGER NOT NULL,               -- its log was looked through for mails up to here
    whole    INTEGER NOT NULL                -- 1: up to its end, and mails are filed as they come
) STRICT;

CREATE TABLE imap_folder (
    id         INTEGER PRIMARY KEY,
    uid        INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    role       INTEGER NOT NULL,             -- 0: none, 1: inbox, 2: sent, 3: drafts, 4: junk, 5: trash, 6: archive
    validity   INTEGER NOT NULL,
    next       INTEGER NOT NULL DEFAULT 1,   -- UIDNEXT
    modseq     INTEGER NOT NULL DEFAULT 1,   -- HIGHESTMODSEQ
    expunged   INTEGER NOT NULL DEFAULT 0,   -- the modseq of the last removal
    subscribed INTEGER NOT NULL DEFAULT 1,
    UNIQUE (uid, name)
) STRICT;

-- A mail in a folder. Either its message stands in the timeline (`message`, `useq`), or it was put here by a mail program.
CREATE TABLE imap_mail (
    folder   INTEGER NOT NULL,
    n        INTEGER NOT NULL,               -- its UID
    message  INTEGER,
    useq     INTEGER,
    raw      TEXT,                           -- the upload with the whole mail; NULL: it is made of the body
    size     INTEGER NOT NULL,               -- of that upload
    at       INTEGER NOT NULL,               -- INTERNALDATE
    modseq   INTEGER NOT NULL,
    flags    INTEGER NOT NULL,               -- 1: seen, 2: answered, 4: flagged, 8: deleted, 16: draft
    keywords TEXT    NOT NULL,               -- with spaces between them
    PRIMARY KEY (folder, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX imap_mail_message ON imap_mail (message) WHERE message IS NOT NULL;
CREATE INDEX imap_mail_raw ON imap_mail (raw) WHERE message IS NULL;
CREATE INDEX imap_mail_unseen ON imap_mail (folder, useq) WHERE NOT flags & 1;
CREATE INDEX imap_mail_modseq ON imap_mail (folder, modseq);
