-- Messages that people write to phones: each is a sending, and its sender hears of it as of a message.
CREATE TABLE sms_letter (
    sending INTEGER PRIMARY KEY,             -- the sending that carries it
    uid     INTEGER NOT NULL,                -- who wrote it
    peer    TEXT    NOT NULL,                -- the phone, as an address inside
    stanza  TEXT    NOT NULL,                -- the id of the message
    receipt INTEGER NOT NULL,                -- a receipt is asked for (XEP-0184)
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX sms_letter_at ON sms_letter (at);
CREATE INDEX sms_letter_account ON sms_letter (uid, at);

-- Who wrote to a phone last: what comes from there is for them.
CREATE TABLE sms_talk (
    phone TEXT    PRIMARY KEY,
    uid   INTEGER NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sms_talk_account ON sms_talk (uid);

-- Phones that want nothing from here.
CREATE TABLE sms_stopped (
    phone TEXT    PRIMARY KEY,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Parts of messages whose others have not come yet.
CREATE TABLE sms_part (
    carrier   TEXT    NOT NULL,
    phone     TEXT    NOT NULL,              -- who wrote it
    here      TEXT    NOT NULL,              -- to which of our numbers
    reference INTEGER NOT NULL,              -- what the phone calls the message
    total     INTEGER NOT NULL,
    number    INTEGER NOT NULL,              -- which part, from 1
    alphabet  INTEGER NOT NULL,
    bytes     BLOB    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (carrier, phone, here, reference, total, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX sms_part_at ON sms_part (at);
