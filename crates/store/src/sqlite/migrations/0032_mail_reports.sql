-- What reports of mails on their way out need (RFC 3461, RFC 3464).
ALTER TABLE mail_queue ADD COLUMN envelope TEXT    NOT NULL DEFAULT '';  -- the envelope's name (ENVID)
ALTER TABLE mail_queue ADD COLUMN receipt  INTEGER NOT NULL DEFAULT 0;   -- its sender asked to hear when it is delivered
ALTER TABLE mail_queue ADD COLUMN told     INTEGER NOT NULL DEFAULT 0;   -- its sender was told that it is late
