//! What sessions do. A scenario sees events and sends; connecting, signing in and counting time are others' work.

mod archive;
mod carbons;
mod chat;
mod offline;
mod presence;
mod reconnect;
mod room;
mod town;

use anyhow::Result;
use clap::Subcommand;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use serde::{Deserialize, Serialize};

use crate::net::signin::Step;
use crate::net::{Identity, Net};
use crate::options::Options;
use crate::stamp::Stamp;
use crate::stats::Score;

/// A scenario, as asked for.
#[derive(Subcommand, Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Load {
    /// Sessions that sign in and do nothing: memory, and what a sign-in costs
    Idle(IdleArgs),
    /// Pairs that write to each other, as fast as a window lets them or at a rate
    Chat(chat::ChatArgs),
    /// Accounts with several devices, all of which get what is written to them
    Carbons(carbons::CarbonsArgs),
    /// A room: joining it, and a few who speak to all
    Room(room::RoomArgs),
    /// Messages for people who are away: storing them, and fetching them
    Offline(offline::OfflineArgs),
    /// Everybody reads from the archive what was written
    Archive(archive::ArchiveArgs),
    /// Everybody loses the connection and comes back
    Reconnect(reconnect::ReconnectArgs),
    /// Contacts: signing in among them, and changes of presence
    Presence(presence::PresenceArgs),
    /// A mixed day of a town: chats, rooms, presence, broken connections, archives, people who leave and come back
    Town(town::TownArgs),
}

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IdleArgs {
    /// How many
    #[arg(long, default_value_t = 1000)]
    sessions: usize,
    /// Only sign in: no roster, no presence
    #[arg(long)]
    bare: bool,
}

/// The part of a run that is one worker's: sessions of these numbers, of so many in all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) sessions: std::ops::Range<usize>,
    pub(crate) of: usize,
}

/// What the sessions of one worker do. Each method may send.
pub(crate) trait Scenario {
    /// Begins a stage of [`Load::stages`].
    fn stage(&mut self, _net: &mut Net, _score: &mut Score, _stage: usize) -> Result<()> {
        Ok(())
    }

    /// Whether the stage that was begun last is over.
    fn staged(&self, _net: &Net) -> bool {
        true
    }

    /// A session is there again that the scenario has connected.
    fn ready(&mut self, _net: &mut Net, _score: &mut Score, _session: usize) -> Result<()> {
        Ok(())
    }

    /// Begins what is measured, when all sessions of all workers are there.
    fn begin(&mut self, net: &mut Net, score: &mut Score) -> Result<()>;

    /// A stanza came that is not part of signing in.
    fn stanza(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()>;

    /// Does what is due by now, and says when it wants to be asked again.
    fn tick(&mut self, _net: &mut Net, _score: &mut Score) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Begins nothing more; what is under way still comes.
    fn stop(&mut self) {}
}

/// The stamp of a message, or of the one that a carbon copy or an archive's result holds.
fn stamp_of(stanza: &Stanza) -> Option<Stamp> {
    let wrapped = [(ns::CARBONS, "received"), (ns::MAM, "result")];
    if let Some(wrapping) = wrapped.into_iter().find_map(|(ns, name)| stanza.child(ns, name)) {
        let forwarded = wrapping.child(ns::FORWARD, "forwarded")?;
        let message = forwarded.children().find(|child| child.name() == "message")?;
        return Stamp::parse(&message.attr("id")?);
    }
    Stamp::parse(&stanza.id()?)
}

/// Does nothing.
struct Idle;

impl Scenario for Idle {
    fn begin(&mut self, _: &mut Net, _: &mut Score) -> Result<()> {
        Ok(())
    }

    fn stanza(&mut self, _: &mut Net, _: &mut Score, _: usize, _: &Stanza) -> Result<()> {
        Ok(())
    }
}

impl Load {
    /// What it is called in reports.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Load::Idle(_) => "idle",
            Load::Chat(args) if args.rate.is_some() => "chat, open loop",
            Load::Chat(_) => "chat",
            Load::Carbons(_) => "carbons",
            Load::Room(_) => "room",
            Load::Offline(_) => "offline",
            Load::Presence(_) => "presence",
            Load::Archive(_) => "archive",
            Load::Reconnect(_) => "reconnect",
            Load::Town(_) => "town",
        }
    }

    /// Sessions of all workers.
    pub(crate) fn sessions(&self) -> usize {
        match self {
            Load::Idle(args) => args.sessions,
            Load::Chat(args) => args.pairs * 2,
            Load::Carbons(args) => args.people * args.group(),
            Load::Room(args) => args.occupants,
            Load::Offline(args) => args.pairs * 2,
            Load::Presence(args) => args.people,
            Load::Archive(args) => args.pairs * 2,
            Load::Reconnect(args) => args.sessions,
            Load::Town(args) => args.streets * town::STREET,
        }
    }

    /// Sessions that must be with one worker come in groups of this size.
    pub(crate) fn together(&self) -> usize {
        match self {
            Load::Idle(_) | Load::Room(_) | Load::Presence(_) | Load::Reconnect(_) => 1,
            Load::Chat(_) | Load::Offline(_) | Load::Archive(_) => 2,
            Load::Carbons(args) => args.group(),
            Load::Town(_) => town::STREET,
        }
    }

    /// Who the session of that number is.
    pub(crate) fn identity(&self, number: usize) -> Identity {
        match self {
            Load::Carbons(args) => args.identity(number),
            _ => Identity { account: number, resource: "load".to_owned(), number },
        }
    }

    /// What each session does after it is bound.
    pub(crate) fn steps(&self, options: &Options) -> Vec<Step> {
        // What cannot be resumed does not come back.
        let resumes = match self {
            Load::Reconnect(args) => !args.afresh,
            Load::Town(_) => true,
            _ => false,
        };
        let manage = (options.acks.is_some() || resumes).then_some(Step::Manage);
        let rest: &[Step] = match self {
            Load::Idle(args) if args.bare => &[],
            Load::Carbons(_) => &[Step::Roster, Step::Carbons, Step::Presence],
            _ => &[Step::Roster, Step::Presence],
        };
        manage.into_iter().chain(rest.iter().copied()).collect()
    }

    /// What is done, and measured, before the rest begins.
    pub(crate) fn stages(&self) -> &'static [&'static str] {
        match self {
            Load::Room(_) => &room::STAGES,
            Load::Offline(_) => &offline::STAGES,
            Load::Presence(_) => &presence::STAGES,
            Load::Archive(_) => &archive::STAGES,
            Load::Reconnect(_) => &reconnect::STAGES,
            Load::Town(_) => &town::STAGES,
            _ => &[],
        }
    }

    /// Whether there is something to measure once all have signed in.
    pub(crate) fn runs(&self) -> bool {
        !matches!(self, Load::Idle(_))
    }

    /// Whether something goes on after the last stage, for as long as one wants.
    pub(crate) fn goes_on(&self) -> bool {
        !matches!(self, Load::Idle(_) | Load::Offline(_) | Load::Archive(_) | Load::Reconnect(_))
    }

    /// One worker's part of it.
    pub(crate) fn start(&self, options: &Options, share: &Share) -> Box<dyn Scenario> {
        match self {
            Load::Idle(_) => Box::new(Idle),
            Load::Chat(args) => Box::new(chat::Chat::new(args, options, share)),
            Load::Carbons(args) => Box::new(carbons::Carbons::new(args, options, share)),
            Load::Room(args) => Box::new(room::Room::new(args, options, share)),
            Load::Offline(args) => Box::new(offline::Offline::new(args, options, share)),
            Load::Presence(args) => Box::new(presence::Presence::new(args, share)),
            Load::Archive(args) => Box::new(archive::Archive::new(args, options, share)),
            Load::Reconnect(args) => Box::new(reconnect::Reconnect::new(args, share)),
            Load::Town(args) => Box::new(town::Town::new(args, options, share)),
        }
    }
}
