//! What must last: accounts, rosters and the one timeline, on SQLite.
