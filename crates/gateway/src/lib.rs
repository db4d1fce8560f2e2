//! Ways to people who are not here: each gateway speaks its protocol on one side and core's messages on the other
//! ([`rookery_core::gateway`]): mail, pagers and phones. [`reach`] hands what people are to be told to the ways out.

pub mod duty;
mod guard;
pub mod mail;
pub mod pager;
mod people;
pub mod reach;
pub mod secretary;
pub mod sms;
