-- What gateways are to hand on: written with the row in its sender's log, gone when the gateway has it in a place of its own.
CREATE TABLE outbox (
    id      INTEGER PRIMARY KEY,
    gateway TEXT    NOT NULL,
    uid     INTEGER NOT NULL,                -- who sent it
    message INTEGER NOT NULL,                -- the body in the timeline, as long as there is one
    at      INTEGER NOT NULL,
    stanza  BLOB    NOT NULL
) STRICT;

CREATE INDEX outbox_gateway ON outbox (gateway, id);
CREATE INDEX outbox_account ON outbox (uid);

-- What mail says of bodies in the timeline, whichever way they went. Goes with the body.
CREATE TABLE mail (
    message INTEGER PRIMARY KEY,
    uid     INTEGER NOT NULL,
    peer    TEXT    NOT NULL,                -- the correspondent
    name    TEXT    NOT NULL,                -- Message-ID, without its angle brackets
    refs    TEXT    NOT NULL,                -- References, as Message-IDs with spaces between them
    thread  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    stanza  TEXT    NOT NULL,                -- the id of the message
    raw     TEXT                             -- the upload with the whole mail; NULL: it is made of the body
) STRICT;

CREATE INDEX mail_name ON mail (uid, name);
CREATE INDEX mail_peer ON mail (uid, peer, thread, message);

-- Mails on their way out, each to one recipient.
CREATE TABLE mail_queue (
    id        INTEGER PRIMARY KEY,
    uid       INTEGER NOT NULL,              -- whose it is; 0: the server's own
    peer      TEXT    NOT NULL,              -- the correspondent's address inside
    stanza    TEXT    NOT NULL,              -- the id of the message that it was; empty: there was none
    sender    TEXT    NOT NULL,              -- the reverse path; empty: none
    recipient TEXT    NOT NULL,
    domain    TEXT    NOT NULL,              -- the recipient's, in lower case
    at        INTEGER NOT NULL,
    next      INTEGER NOT NULL,              -- not before
    attempts  INTEGER NOT NULL DEFAULT 0,
    trouble   TEXT    NOT NULL DEFAULT '',   -- what the last attempt met
    data      BLOB    NOT NULL
) STRICT;

CREATE INDEX mail_queue_next ON mail_queue (next);
CREATE INDEX mail_queue_account ON mail_queue (uid);
