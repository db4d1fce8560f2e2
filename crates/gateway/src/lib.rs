//! Ways to people who are not here: each gateway speaks its protocol on one side and core's messages on the other
//! ([`rookery_core::gateway`]). Mail is the first.

pub mod mail;
