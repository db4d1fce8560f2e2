-- What people want to be reminded of. A row goes, or moves on, in the transaction that stores the message that reminds.
CREATE TABLE reminder (
    uid      INTEGER NOT NULL,
    number   INTEGER NOT NULL,               -- what the account calls it
    text     TEXT    NOT NULL,
    urgency  INTEGER NOT NULL,
    days     INTEGER NOT NULL,               -- a bit for each day of the week from Monday on; 0: once
    minute   INTEGER NOT NULL,               -- of the day; 0 if it is once
    zone     TEXT    NOT NULL,               -- a name of the IANA time zone database
    language TEXT    NOT NULL,               -- in which it was asked for
    next     INTEGER NOT NULL,               -- when it is due
    PRIMARY KEY (uid, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX reminder_next ON reminder (next);
