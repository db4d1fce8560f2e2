-- Hats of groups (XEP-0317), and who wears them.

CREATE TABLE room_hat (
    room  INTEGER NOT NULL,
    uri   TEXT    NOT NULL,
    title TEXT    NOT NULL,
    hue   TEXT,                              -- NULL: none of its own
    PRIMARY KEY (room, uri)
) STRICT, WITHOUT ROWID;

CREATE TABLE room_hat_worn (
    room INTEGER NOT NULL,
    jid  TEXT    NOT NULL,
    uri  TEXT    NOT NULL,
    PRIMARY KEY (room, jid, uri)
) STRICT, WITHOUT ROWID;

CREATE INDEX room_hat_worn_jid ON room_hat_worn (jid);
