//! XEP-0045: groups. A group is a number with perhaps a name; its archive is a log of the store under that number.

pub mod config;
pub mod privilege;
pub mod status;
