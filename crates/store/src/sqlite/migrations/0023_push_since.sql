-- When something was registered for push: its owner is shown it.

ALTER TABLE push ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
