-- Where an account's devices are told of messages that they do not take now (XEP-0357, RFC 8030).

CREATE TABLE push (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    uid      INTEGER NOT NULL,
    resource TEXT    NOT NULL,               -- of the session that registered it last
    device   BLOB,                           -- of the same; NULL: it did not say which it is
    kind     INTEGER NOT NULL,               -- 0: an app server, 1: a Web Push endpoint
    target   TEXT    NOT NULL,               -- the app server's address, or the endpoint
    node     TEXT    NOT NULL,               -- of an app server; '' for none
    detail   BLOB    NOT NULL                -- publish options as XML, or the endpoint's key and secret
) STRICT;

CREATE UNIQUE INDEX push_target ON push (uid, kind, target, node);

CREATE TABLE push_content (
    uid   INTEGER PRIMARY KEY,
    value INTEGER NOT NULL                   -- 0: nothing, 1: the sender, 2: all
) STRICT;

-- A device that is not its user's own, and one that has shown the password that holds now.

ALTER TABLE device ADD COLUMN public INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN password INTEGER NOT NULL DEFAULT 0;
