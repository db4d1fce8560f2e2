//! The proof that acknowledged means durable: many clients write while the server is killed, again and again;
//! afterwards everything it acknowledged is looked for in what it stored and in what each device received.
#![allow(clippy::disallowed_methods, reason = "this kills a real server in real time")]

mod audit;
mod check;
mod device;
mod dice;
mod feed;
mod history;
mod journal;
mod killing;
pub mod mail;
mod process;
mod run;
mod upload;

pub use check::{Violation, check};
pub use history::{Account, Device, DeviceHistory, History, Label, Outcome, Seen, Sent, Stored, Via, Write};
pub use process::Server;
pub use run::{Plan, Report, run};
