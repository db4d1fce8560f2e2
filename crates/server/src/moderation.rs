//! What moderation needs of the world outside: the operator's lists as files, and the operator's program.

pub mod files;
pub mod hook;
