//! What a run has shown: one line of JSON for programs, a table for people.

use std::fmt;

use serde::Serialize;

use crate::net::Via;
use crate::options::{Auth, Options};
use crate::scenario::Load;
use crate::stats::{Counts, Times};

/// Everything, as it is printed in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) via: Via,
    pub(crate) auth: Auth,
    pub(crate) sessions: usize,
    pub(crate) workers: usize,
    pub(crate) login: Option<Login>,
    /// Memory of the server for each session that came in after the first ones.
    pub(crate) bytes_per_session: Option<u64>,
    /// The same of the clients here.
    pub(crate) client_bytes_per_session: Option<u64>,
    pub(crate) parts: Vec<Part>,
    /// Of the whole run.
    pub(crate) counts: Counts,
    /// Everything that was sent came, once and in order, and nobody was disconnected.
    pub(crate) flawless: bool,
}

/// Sign-ins, from connecting to the last step.
#[derive(Debug, Serialize)]
pub(crate) struct Login {
    pub(crate) count: u64,
    pub(crate) per_second: f64,
    /// The server's processor time for one, in milliseconds.
    pub(crate) cpu_ms: Option<f64>,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
}

/// A part of the run that was measured by itself.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) seconds: f64,
    /// Deliveries, or whole things such as joins.
    pub(crate) done: u64,
    pub(crate) per_second: f64,
    /// The server's processor time for a million of them, in seconds; the same number is microseconds for each.
    pub(crate) cpu_seconds_per_million: Option<f64>,
    /// The server's processor time, as a share of one core.
    pub(crate) cores: Option<f64>,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) p999_ms: Option<f64>,
}

impl Login {
    /// `cpu`: seconds of the server's.
    pub(crate) fn new(count: u64, seconds: f64, times: &Times, cpu: Option<f64>) -> Login {
        let each = count.max(1) as f64;
        Login {
            count,
            per_second: count as f64 / seconds,
            cpu_ms: cpu.map(|cpu| cpu * 1000.0 / each),
            p50_ms: times.at(0.5),
            p99_ms: times.at(0.99),
        }
    }
}

impl Part {
    /// `cpu`: seconds of the server's.
    pub(crate) fn new(name: &str, seconds: f64, done: u64, latency: &Times, cpu: Option<f64>) -> Part {
        Part {
            name: name.to_owned(),
            seconds,
            done,
            per_second: done as f64 / seconds,
            cpu_seconds_per_million: cpu.filter(|_| done > 0).map(|cpu| cpu * 1e6 / done as f64),
            cores: cpu.map(|cpu| cpu / seconds),
            p50_ms: latency.at(0.5),
            p99_ms: latency.at(0.99),
            p999_ms: latency.at(0.999),
        }
    }
}

impl Report {
    pub(crate) fn new(options: &Options, load: &Load) -> Report {
        Report {
            scenario: load.name(),
            via: options.via,
            auth: options.auth,
            sessions: load.sessions(),
            workers: 0,
            login: None,
            bytes_per_session: None,
            client_bytes_per_session: None,
            parts: Vec::new(),
            counts: Counts::default(),
            flawless: false,
        }
    }
}

/// A figure, or a dash.
fn figure(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2} {unit}"))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { sent, doubled, disordered, refused, failures, acknowledged, .. } = self.counts;
        writeln!(f, "{}: {} sessions, {:?}, {:?}", self.scenario, self.sessions, self.via, self.auth)?;
        if let Some(login) = &self.login {
            writeln!(f, "  sign-ins     {:>12}   {:.0}/s", login.count, login.per_second)?;
            writeln!(f, "    server     {:>15}", figure(login.cpu_ms, "ms"))?;
            writeln!(
                f,
                "    p50, p99   {:>15}{:>15}",
                figure(login.p50_ms, "ms"),
                figure(login.p99_ms, "ms")
            )?;
        }
        if let Some(bytes) = self.bytes_per_session {
            writeln!(f, "  memory       {:>15}", figure(Some(bytes as f64 / 1024.0), "KB"))?;
        }
        if let Some(bytes) = self.client_bytes_per_session {
            writeln!(f, "    clients    {:>15}", figure(Some(bytes as f64 / 1024.0), "KB"))?;
        }
        for part in &self.parts {
            writeln!(
                f,
                "  {:<13}{:>12}   {:.0}/s in {:.1} s",
                part.name, part.done, part.per_second, part.seconds
            )?;
            let million = figure(part.cpu_seconds_per_million, "s");
            writeln!(
                f,
                "    server     {million:>15} of processor time a million, {} cores",
                figure(part.cores, "")
            )?;
            let (p50, p99) = (figure(part.p50_ms, "ms"), figure(part.p99_ms, "ms"));
            writeln!(f, "    latency    {p50:>15} p50{p99:>12} p99{:>12} p99.9", figure(part.p999_ms, "ms"))?;
        }
        writeln!(
            f,
            "  sent {sent}, missing {}, doubled {doubled}, out of order {disordered}, refused {refused}, \
                     disconnected {failures}, acknowledged {acknowledged}",
            self.counts.missing()
        )?;
        write!(f, "  {}", if self.flawless { "everything once and in order" } else { "NOT as it should be" })
    }
}
