//! The paging station: pages come in and go out by the protocols that paging has.

pub mod pocsag;
