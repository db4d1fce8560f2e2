-- How far conversations were read, as clients said it. One's own messages say it too and stand in the log.

CREATE TABLE displayed (
    uid  INTEGER NOT NULL,
    peer TEXT    NOT NULL,
    useq INTEGER NOT NULL,
    PRIMARY KEY (uid, peer)
) STRICT, WITHOUT ROWID;

-- What was stored before instant messages were flagged (1024): what has a text, and what is encrypted (8).
UPDATE log SET flags = flags | 1024 WHERE flags & 2 AND (flags & 8 OR EXISTS (
    SELECT 1 FROM message m WHERE m.id = log.message AND instr(CAST(m.stanza AS TEXT), '<body')));
