-- Personal data: publish-subscribe nodes of accounts, and capabilities of clients.

CREATE TABLE pubsub_node (
    id     INTEGER PRIMARY KEY,
    uid    INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    kept   INTEGER NOT NULL,                 -- how many items are kept
    config TEXT    NOT NULL,
    bytes  INTEGER NOT NULL DEFAULT 0        -- the sum of its items' sizes
) STRICT;

CREATE UNIQUE INDEX pubsub_node_name ON pubsub_node (uid, name);

CREATE TABLE pubsub_item (
    n         INTEGER PRIMARY KEY,           -- the order of publication
    node      INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    publisher TEXT    NOT NULL,
    size      INTEGER NOT NULL,
    payload   BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX pubsub_item_id ON pubsub_item (node, id);
CREATE INDEX pubsub_item_order ON pubsub_item (node, n);

CREATE TABLE pubsub_affiliate (
    node        INTEGER NOT NULL,
    jid         TEXT    NOT NULL,
    affiliation INTEGER NOT NULL,            -- 0: none, 1: member, 2: publisher, 3: outcast
    subscribed  INTEGER NOT NULL,
    PRIMARY KEY (node, jid)
) STRICT, WITHOUT ROWID;

CREATE INDEX pubsub_affiliate_jid ON pubsub_affiliate (jid);

CREATE TABLE caps (
    hash  TEXT    NOT NULL PRIMARY KEY,
    at    INTEGER NOT NULL,
    value TEXT    NOT NULL                   -- separated by U+001F
) STRICT, WITHOUT ROWID;

CREATE INDEX caps_at ON caps (at);
