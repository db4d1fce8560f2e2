-- Whoever knows the address of a file can name it, and take that back; only who uploaded it hastens its end by that.

ALTER TABLE upload ADD COLUMN term INTEGER;                      -- when it goes if nothing names it; NULL: never
UPDATE upload SET term = coalesce(due, 0) WHERE purpose = 0 AND blob IS NOT NULL;

ALTER TABLE upload_ref ADD COLUMN own INTEGER NOT NULL DEFAULT 1; -- 1: the body is of the upload's owner
