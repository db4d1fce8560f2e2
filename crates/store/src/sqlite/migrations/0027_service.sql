-- The publish-subscribe service: its nodes are nobody's (uid 0) and were made by somebody.

ALTER TABLE pubsub_node ADD COLUMN creator INTEGER;    -- NULL: the account whose node it is

CREATE INDEX pubsub_node_creator ON pubsub_node (creator, uid);

-- From here on an affiliation may be 4: owner, 5: publish-only; and `subscribed` may be 2: waits to be.
ALTER TABLE pubsub_affiliate ADD COLUMN deliver INTEGER NOT NULL DEFAULT 1;    -- whether a subscriber is sent notifications
