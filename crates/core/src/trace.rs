//! Where is my message? What one message has become, in each log that has it. Nothing of what it says is shown.

use crate::env::stamp;
use crate::{Core, limits, reach};
use rookery_proto::Uid;
use rookery_store::{Direction, Flags, Result, Sought, Trace, Track, is_group};

/// A traced message, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    /// What the store has.
    pub trace: Trace,
    /// For each of its tracks: whose it is, and how far the message has come there.
    pub stations: Vec<Station>,
}

/// How far a message has come in one log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Station {
    /// The address of whose log it is, or its number if the account is gone.
    pub owner: String,
    /// A sentence.
    pub state: String,
}

impl Core {
    /// The way of a message that the log of `uid` has, or that it sent.
    pub async fn trace(&self, uid: Uid, sought: Sought) -> Result<Option<Way>> {
        let Some(trace) = self.store.trace(uid, sought).await? else { return Ok(None) };
        let mut stations = Vec::with_capacity(trace.tracks.len());
        for track in &trace.tracks {
            stations.push(self.station(track).await?);
        }
        Ok(Some(Way { trace, stations }))
    }

    async fn station(&self, track: &Track) -> Result<Station> {
        let uid = track.uid;
        if is_group(uid) {
            let state = "Stored in the group's archive; those who are in the group are given it from there."
                .to_owned();
            return Ok(Station { owner: format!("{uid} (group)"), state });
        }
        let member = self.directory.member(uid).await?;
        let owner = member.map_or_else(|| uid.to_string(), |member| member.address.to_string());
        let state = match track.direction {
            Direction::Out => match &track.resource {
                Some(resource) => format!("Sent by {resource}; stored."),
                None => "Sent; stored.".to_owned(),
            },
            Direction::In => self.arrival(track).await? + &self.reached(track).await?,
        };
        Ok(Station { owner, state })
    }

    /// How its reader was told of it who was not here: each attempt.
    async fn reached(&self, track: &Track) -> Result<String> {
        let mut told = String::new();
        if !track.flags.has(Flags::REACH) {
            return Ok(told);
        }
        for case in self.store.cases(track.uid, limits::REACH_TRACED).await? {
            let about = case.peer == track.peer && case.first <= track.useq && track.useq <= case.last;
            if !about || case.urgency != reach::urgency(track.flags) {
                continue;
            }
            for sending in self.store.sendings(track.uid, Some(case.id), limits::REACH_TRACED).await? {
                let (way, state, at) =
                    (sending.what.way.name(), sending.state.name(), stamp(sending.changed));
                told.push_str(&format!(" By {way}: {state}, {at}."));
                if !sending.trouble.is_empty() {
                    told.push_str(&format!(" ({})", sending.trouble));
                }
            }
            told.push_str(&format!(" Reach me: {}.", case.state.name()));
        }
        Ok(told)
    }

    /// How far it has come to whoever is to read it.
    async fn arrival(&self, track: &Track) -> Result<String> {
        let (uid, flags) = (track.uid, track.flags);
        if track.displayed {
            return Ok("Read.".to_owned());
        }
        if flags.has(Flags::GROUP) {
            return Ok("Stored, for the inbox of a member; not read.".to_owned());
        }
        if flags.has(Flags::REQUEST) {
            return Ok("Set aside: it is from a stranger, and waits to be let in.".to_owned());
        }
        if flags.has(Flags::JUNK) {
            return Ok("Set aside: it is junk, as far as one can tell.".to_owned());
        }
        let sessions = self.router.sessions(uid);
        let waits = match sessions.len() {
            0 => "Stored; nobody is signed in.".to_owned(),
            1 => "Stored; the one device that is signed in has not taken it.".to_owned(),
            n => format!("Stored; none of the {n} devices that are signed in has taken it."),
        };
        if flags.has(Flags::OWED) {
            return Ok(format!("Left by the device that it was for. {waits}"));
        }
        if !flags.has(Flags::DELIVER) {
            return Ok("In the archive; it is not delivered to devices.".to_owned());
        }
        let taken: Vec<&str> = sessions
            .iter()
            .filter(|session| session.state().has_taken(track.useq))
            .map(|session| session.resource())
            .collect();
        if !taken.is_empty() {
            return Ok(format!("Delivered to {}; not read.", taken.join(", ")));
        }
        let delivered = self.store.head(uid).await?.delivered.max(self.router.delivered(uid));
        Ok(if delivered >= track.useq { "Delivered; not read.".to_owned() } else { waits })
    }
}
