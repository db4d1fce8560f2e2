-- Mails that programs have handed in to be sent: the whole mail is kept of them, as of those that came in.
ALTER TABLE mail ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;   -- 1: its owner has sent it
UPDATE mail SET sent = 1 WHERE raw IS NULL;
ALTER TABLE mail_queue ADD COLUMN program INTEGER NOT NULL DEFAULT 0;   -- 1: a mail program handed it in

-- Each domain's mails go one after the other.
CREATE INDEX mail_queue_domain ON mail_queue (domain, next);
