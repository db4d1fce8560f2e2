-- Uploaded files: `upload` is what has an address, from the moment that it is asked for; `blob` is bytes by their hash, which
-- several uploads share.

CREATE TABLE upload (
    id         INTEGER PRIMARY KEY,
    token      TEXT    NOT NULL UNIQUE,
    uid        INTEGER NOT NULL,             -- who asked for it
    name       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    purpose    INTEGER NOT NULL,             -- 0: message, 1: profile, 2: ephemeral, 3: permanent
    at         INTEGER NOT NULL,
    blob       INTEGER,                      -- NULL: nothing has come yet
    due        INTEGER                       -- when it goes; NULL: not as long as something refers to it, or never
) STRICT;

CREATE INDEX upload_account ON upload (uid, size);
CREATE INDEX upload_open ON upload (uid, due) WHERE blob IS NULL;
CREATE INDEX upload_due ON upload (due) WHERE due IS NOT NULL;

-- A row is here before the bytes are, and until they are gone: without uploads (`refs` 0) they are to be erased.
CREATE TABLE blob (
    id     INTEGER PRIMARY KEY,
    hash   BLOB    NOT NULL UNIQUE,          -- SHA-256
    size   INTEGER NOT NULL,
    refs   INTEGER NOT NULL,                 -- uploads that share it
    width  INTEGER,                          -- of a picture, as it is shown
    height INTEGER
) STRICT;

CREATE INDEX blob_unused ON blob (id) WHERE refs = 0;

-- Bodies of the timeline that name an upload.
CREATE TABLE upload_ref (
    message INTEGER NOT NULL,
    upload  INTEGER NOT NULL,
    PRIMARY KEY (message, upload)
) STRICT, WITHOUT ROWID;

CREATE INDEX upload_ref_upload ON upload_ref (upload);
