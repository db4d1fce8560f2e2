-- Devices on others' machines, by when their time is over.

CREATE INDEX device_public ON device (first_seen) WHERE public;
