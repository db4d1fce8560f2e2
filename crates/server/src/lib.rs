//! Everything impure: sockets, TLS, files, the command line.

pub mod assemble;
pub mod bosh;
pub mod certificate;
pub mod cli;
pub mod config;
pub mod control;
pub mod data;
pub mod duty;
pub mod export;
pub mod files;
pub mod http;
pub mod mail;
pub mod moderation;
pub mod net;
pub mod pager;
pub mod previews;
pub mod push;
pub mod reach;
pub mod recovery;
pub mod secretary;
pub mod serve;
pub mod sms;
pub mod tls;
