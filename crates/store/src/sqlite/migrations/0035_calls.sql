-- Pages from outside whose senders ask what became of them. What the log knows (delivered, read) is not kept here again.
CREATE TABLE call (
    tag      INTEGER PRIMARY KEY,            -- what the sender calls it
    pass     INTEGER NOT NULL,               -- what the sender proves with that it is the sender
    uid      INTEGER NOT NULL,               -- who was paged
    useq     INTEGER NOT NULL,               -- the message in their log
    peer     TEXT    NOT NULL,               -- whom it is from
    stanza   TEXT    NOT NULL,               -- the id of the message
    at       INTEGER NOT NULL,
    choices  TEXT    NOT NULL,               -- answers to choose from: lines of a code, a space, and a text
    reply    INTEGER NOT NULL,               -- an answer is asked for
    answered INTEGER,                        -- when it was; NULL: it is not
    choice   TEXT,                           -- the code of the answer that was chosen
    answer   TEXT                            -- what was said
) STRICT;

CREATE INDEX call_waits ON call (uid, peer, useq) WHERE answered IS NULL;
CREATE INDEX call_at ON call (at);
