-- What accounts let others find of them, and who may ask to become a contact.

CREATE TABLE card (
    uid       INTEGER PRIMARY KEY,
    findable  INTEGER NOT NULL,              -- 0: by nobody, 1: by who knows number or name, 2: by everybody
    online    INTEGER NOT NULL,              -- 1: who finds it is told that it is online
    nick      TEXT,
    interests TEXT    NOT NULL               -- separated by U+001F
) STRICT;

-- The words of those whom everybody finds, and of no others.
CREATE TABLE card_word (
    word TEXT    NOT NULL,
    part INTEGER NOT NULL,                   -- 0: nickname or name, 1: interest
    uid  INTEGER NOT NULL,
    PRIMARY KEY (part, word, uid)
) STRICT, WITHOUT ROWID;

CREATE INDEX card_word_uid ON card_word (uid);

ALTER TABLE privacy ADD COLUMN adding INTEGER NOT NULL DEFAULT 0;  -- 0: everybody, 1: by invitation, 2: nobody
