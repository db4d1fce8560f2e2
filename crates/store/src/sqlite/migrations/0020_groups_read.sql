-- How far groups were read that are read in their own logs.

CREATE TABLE displayed_group (
    uid  INTEGER NOT NULL,
    room INTEGER NOT NULL,
    useq INTEGER NOT NULL,                   -- in the room's log
    PRIMARY KEY (uid, room)
) STRICT, WITHOUT ROWID;

CREATE INDEX displayed_group_room ON displayed_group (room);
