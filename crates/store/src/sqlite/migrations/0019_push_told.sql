-- Up to where in the log each registration needs no telling any more: after a restart the rest is told.

ALTER TABLE push ADD COLUMN told INTEGER NOT NULL DEFAULT 0;

UPDATE push SET told = max(coalesce((SELECT max(useq) FROM log WHERE log.uid = push.uid), 0),
                           coalesce((SELECT top FROM position WHERE position.uid = push.uid), 0));
