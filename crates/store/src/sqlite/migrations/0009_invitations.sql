-- What an invitation is good for. Those of before make accounts.

ALTER TABLE invite ADD COLUMN account INTEGER NOT NULL DEFAULT 1;
ALTER TABLE invite ADD COLUMN contact INTEGER NOT NULL DEFAULT 0;  -- 1: with who made it
ALTER TABLE invite ADD COLUMN name TEXT;                           -- the account's, and nobody else's meanwhile
ALTER TABLE invite ADD COLUMN room TEXT;                           -- the group's address

CREATE INDEX invite_name ON invite (name) WHERE name IS NOT NULL;
CREATE INDEX invite_created_by ON invite (created_by) WHERE created_by IS NOT NULL;
