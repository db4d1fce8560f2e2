-- Bytes that were asked for and have not come count on the room that all files have together.

INSERT INTO counter (name, value)
SELECT 'file_bytes_promised', coalesce(sum(size), 0) FROM upload WHERE blob IS NULL;
