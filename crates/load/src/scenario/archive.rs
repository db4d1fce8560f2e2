//! Catching up: everybody reads what was written to them from the archive, page by page (XEP-0313).

use anyhow::Result;
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza};
use rookery_proto::xml::Xml;
use serde::{Deserialize, Serialize};

use super::{Scenario, Share, stamp_of};
use crate::message::Text;
use crate::net::Net;
use crate::net::framing::Target;
use crate::options::Options;
use crate::stamp::{Arrival, Flow, Stamp};
use crate::stats::Score;

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ArchiveArgs {
    /// People who read, each with one who writes
    #[arg(long, default_value_t = 100)]
    pub(crate) pairs: usize,
    /// Messages for each
    #[arg(long, default_value_t = 200)]
    pub(crate) messages: u32,
    /// Messages asked for at once
    #[arg(long, default_value_t = 50)]
    pub(crate) page: u32,
    /// Those who read at the same time, of each worker
    #[arg(long, default_value_t = 8)]
    pub(crate) reading: usize,
}

/// Everything is written, and arrives; then it is read from the archives.
pub(crate) const STAGES: [&str; 2] = ["write", "catch up"];

/// The pairs of one worker: session 2n writes, 2n+1 reads.
pub(crate) struct Archive {
    args: ArchiveArgs,
    text: Text,
    pairs: Vec<Pair>,
    /// Nothing before the first begins: nobody has signed in then.
    stage: Option<usize>,
    next: usize,
    under_way: usize,
}

#[derive(Clone, Default)]
struct Pair {
    /// What came as it was written.
    live: Flow,
    arrived: u32,
    /// What the archive has given.
    archived: Flow,
    read: u32,
    /// When the last page was asked for.
    asked: u64,
}

impl Archive {
    pub(crate) fn new(args: &ArchiveArgs, options: &Options, share: &Share) -> Archive {
        let pairs = vec![Pair::default(); share.sessions.len() / 2];
        Archive { args: args.clone(), text: Text::new(options), pairs, stage: None, next: 0, under_way: 0 }
    }

    fn write(&mut self, net: &mut Net, score: &mut Score, pair: usize) -> Result<()> {
        let writer = 2 * pair;
        let (account, number) = (net.identity(writer).account, net.identity(writer).number);
        let to = net.address(account + 1);
        for seq in 0..self.args.messages {
            let stamp = Stamp { flow: number as u32, seq, at: net.clock.now() };
            net.send(writer, Target::Server, &self.text.message(&to, "chat", &stamp))?;
        }
        // Each is due twice: as it is written, and from the archive.
        score.counts.sent += u64::from(self.args.messages);
        score.counts.due += 2 * u64::from(self.args.messages);
        Ok(())
    }

    /// Asks for the page after this one (XEP-0313 §4.3.3).
    fn ask(&mut self, net: &mut Net, pair: usize, after: Option<&str>) -> Result<()> {
        self.pairs[pair].asked = net.clock.now();
        let mut x = Xml::new();
        x.open("iq").attr("type", "set").attr("id", "page");
        x.open_ns("query", ns::MAM).open_ns("set", ns::RSM).text_element("max", &self.args.page.to_string());
        if let Some(after) = after {
            x.text_element("after", after);
        }
        x.close().close().close();
        net.send(2 * pair + 1, Target::Server, &x.into_vec())
    }

    /// A page is complete, or all of it.
    fn paged(&mut self, net: &mut Net, score: &mut Score, pair: usize, answer: &Stanza) -> Result<()> {
        let after = net.clock.now().saturating_sub(self.pairs[pair].asked);
        score.latency.record(after);
        let fin = answer.child(ns::MAM, "fin");
        let complete = fin.as_ref().and_then(|fin| fin.attr("complete")).is_some_and(|it| it == "true");
        let last = fin.and_then(|fin| {
            fin.child(ns::RSM, "set")?.child(ns::RSM, "last").map(|last| last.text().into_owned())
        });
        match last.filter(|_| !complete) {
            Some(last) => self.ask(net, pair, Some(&last)),
            None => {
                self.under_way -= 1;
                Ok(())
            }
        }
    }
}

impl Scenario for Archive {
    fn stage(&mut self, _: &mut Net, _: &mut Score, stage: usize) -> Result<()> {
        (self.stage, self.next, self.under_way) = (Some(stage), 0, 0);
        Ok(())
    }

    fn staged(&self, _: &Net) -> bool {
        self.next == self.pairs.len() && self.under_way == 0
    }

    fn begin(&mut self, _: &mut Net, _: &mut Score) -> Result<()> {
        Ok(())
    }

    fn stanza(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        let (pair, reads) = (session / 2, session % 2 == 1);
        if stanza.kind() == Kind::Iq && stanza.id().as_deref() == Some("page") {
            return self.paged(net, score, pair, stanza);
        }
        if stanza.kind() != Kind::Message || !reads {
            return Ok(());
        }
        let Some(stamp) = stamp_of(stanza) else { return Ok(()) };
        let from_archive = stanza.child(ns::MAM, "result").is_some();
        let it = &mut self.pairs[pair];
        let how = if from_archive { it.archived.take(stamp.seq) } else { it.live.take(stamp.seq) };
        match how {
            Arrival::Again => score.counts.doubled += 1,
            _ => {
                score.counts.delivered += 1;
                score.counts.steps += 1;
                score.counts.disordered += u64::from(how == Arrival::Late);
                *(if from_archive { &mut it.read } else { &mut it.arrived }) += 1;
            }
        }
        if !from_archive && it.arrived == self.args.messages {
            self.under_way -= 1;
        }
        Ok(())
    }

    fn tick(&mut self, net: &mut Net, score: &mut Score) -> Result<Option<u64>> {
        let Some(stage) = self.stage else { return Ok(None) };
        while self.under_way < self.args.reading.max(1) && self.next < self.pairs.len() {
            let pair = self.next;
            self.next += 1;
            self.under_way += 1;
            match stage {
                0 => self.write(net, score, pair)?,
                _ => self.ask(net, pair, None)?,
            }
        }
        Ok(None)
    }
}
