//! A server in memory, scripted clients and virtual time for the scenarios, and the proof by killing.

pub mod browser;
pub mod carrier;
pub mod client;
pub mod clock;
pub mod crash;
pub mod dialogue;
pub mod measure;
pub mod names;
pub mod ns;
pub mod provider;
pub mod server;
pub mod sites;
pub mod smarthost;
pub mod smsc;
