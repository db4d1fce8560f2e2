-- Who is reported may be known by a name in a group: the account behind it, which sent the messages.

ALTER TABLE report ADD COLUMN behind TEXT;   -- an address or a number; NULL: nobody is behind the address, or it is not known

CREATE INDEX report_behind ON report (behind) WHERE behind IS NOT NULL;
