//! Hostile peers: each gets the defined answer, and costs no more than it may.

mod addresses;
mod auth;
mod bosh;
mod bucket;
mod common;
mod component;
mod files;
mod http;
mod imap;
mod invitations;
mod letters;
mod links;
mod mail;
mod mail_streams;
mod memory;
mod messenger;
mod offline;
mod pairing;
mod personal;
mod recovery;
mod sasl2;
mod sockets;
mod store;
mod stream;
mod tls;
mod tokens;
