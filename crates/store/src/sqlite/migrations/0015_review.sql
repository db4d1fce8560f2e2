-- Accounts that wait for an administrator to approve them.

CREATE TABLE review (
    uid INTEGER PRIMARY KEY
) STRICT;
