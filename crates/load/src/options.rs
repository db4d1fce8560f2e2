//! What a run is to do: the command line, which workers get as JSON.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use rookery_proto::sasl::{Hash, Mechanism};
use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;
use crate::net::Via;

/// How to reach the server, as whom, and for how long.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Options {
    /// Where the server listens
    #[arg(long, global = true, value_name = "IP:PORT", default_value = "127.0.0.1:5222")]
    pub(crate) server: SocketAddr,
    /// The domain that it serves
    #[arg(long, global = true, default_value = "localhost")]
    pub(crate) domain: String,
    /// How to connect
    #[arg(long, global = true, value_enum, default_value_t = Via::Starttls)]
    pub(crate) via: Via,
    /// The path of the WebSocket
    #[arg(long, global = true, default_value = "/xmpp-websocket")]
    pub(crate) path: String,
    /// How to sign in
    #[arg(long, global = true, value_enum, default_value_t = Auth::ScramSha1)]
    pub(crate) auth: Auth,
    /// Sign in with everything in one round trip (XEP-0388), and with a token from the second time on (XEP-0484)
    #[arg(long, global = true)]
    pub(crate) inline: bool,
    /// TLS sessions go on from one connection to the next, by the tickets that the server gives (RFC 8446 §2.2)
    #[arg(long, global = true)]
    pub(crate) tickets: bool,
    /// Accounts as lines `address,password`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) accounts: Option<PathBuf>,
    /// Names of accounts, in place of a file: {} is a number
    #[arg(long, global = true, default_value = "load{}")]
    pub(crate) users: String,
    /// The first number of such names
    #[arg(long, global = true, default_value_t = 1)]
    pub(crate) first: usize,
    /// The password of all such accounts
    #[arg(long, global = true, default_value = "load-secret")]
    pub(crate) password: String,
    /// Make the accounts first, in-band (XEP-0077); those that are there already are taken as they are
    #[arg(long, global = true)]
    pub(crate) register: bool,
    /// The server's process: its processor time and memory are measured, with all its children's
    #[arg(long, global = true)]
    pub(crate) pid: Option<u32>,
    /// Worker processes; 0: as many as the descriptors of the sessions need
    #[arg(long, global = true, default_value_t = 0)]
    pub(crate) workers: usize,
    /// Sign-ins under way at a time, of all workers together
    #[arg(long, global = true, default_value_t = 32)]
    pub(crate) concurrency: usize,
    /// Seconds that are measured
    #[arg(long, global = true, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Seconds before that, so that caches are filled
    #[arg(long, global = true, default_value_t = 2.0)]
    pub(crate) warm_up: f64,
    /// Seconds after which the run is given up, wherever it stands
    #[arg(long, global = true, default_value_t = 900.0)]
    pub(crate) limit: f64,
    /// Bytes of a message's text
    #[arg(long, global = true, default_value_t = 80)]
    pub(crate) body: usize,
    /// Stream management (XEP-0198); an acknowledgement is asked for after so many stanzas
    #[arg(long, global = true, value_name = "STANZAS", num_args = 0..=1, default_missing_value = "1")]
    pub(crate) acks: Option<u32>,
    /// Mark messages as not to be stored (XEP-0334)
    #[arg(long, global = true)]
    pub(crate) no_store: bool,
    /// One line of JSON only, and no table
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// A mechanism of SASL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Auth {
    /// The password, which the server hashes
    Plain,
    /// SCRAM-SHA-1
    #[value(name = "scram-sha-1")]
    ScramSha1,
    /// SCRAM-SHA-256
    #[value(name = "scram-sha-256")]
    ScramSha256,
}

impl Auth {
    pub(crate) fn mechanism(self) -> Mechanism {
        match self {
            Auth::Plain => Mechanism::Plain,
            Auth::ScramSha1 => Mechanism::Scram { hash: Hash::Sha1, plus: false },
            Auth::ScramSha256 => Mechanism::Scram { hash: Hash::Sha256, plus: false },
        }
    }
}

impl Options {
    /// The accounts, of which at least so many are needed.
    pub(crate) fn accounts(&self, needed: usize) -> Result<Accounts> {
        let accounts = match &self.accounts {
            Some(file) => Accounts::of_file(file)?,
            None => Accounts::of_pattern(&self.users, self.first, &self.password)?,
        };
        if accounts.count() < needed {
            bail!("{needed} accounts are needed, {} are there", accounts.count());
        }
        Ok(accounts)
    }
}
