-- Mail that nobody asked for: it stands apart from conversations, and from requests of strangers.
CREATE INDEX log_junk ON log (uid, peer, useq) WHERE flags & 16384;   -- 16384: JUNK

-- What an account has said of senders, by moving their mail.
CREATE TABLE junk_sender (
    id   INTEGER PRIMARY KEY,
    uid  INTEGER NOT NULL,
    jid  TEXT    NOT NULL,
    junk INTEGER NOT NULL,                   -- 1: their mail is junk, 0: it is none
    UNIQUE (uid, jid)
) STRICT;
