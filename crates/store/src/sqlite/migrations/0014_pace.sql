-- Accounts that the limits of pace are not for: bots and the like.

CREATE TABLE unlimited (
    uid INTEGER PRIMARY KEY
) STRICT;
