//! Commands that wait for the next form: in memory, bounded, and each for the one resource that began it (§3.3).

use super::condition;
use crate::limits;
use parking_lot::Mutex;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Form};
use rookery_proto::jid::FullJid;
use rookery_store::Timestamp;
use std::collections::HashMap;

/// A command that waits for an answer.
pub(super) struct Open {
    /// Whose it is.
    pub(super) uid: Uid,
    /// The one resource that may go on with it.
    pub(super) owner: FullJid,
    /// The command.
    pub(super) node: &'static str,
    /// What was filled in before.
    pub(super) answers: Vec<Answers>,
    /// What it asks now.
    pub(super) form: Form,
    /// Whether this is the last form.
    pub(super) last: bool,
}

/// All commands under way.
#[derive(Default)]
pub struct Sessions(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// By their ids.
    all: HashMap<String, Slot>,
    /// How many have begun to wait so far.
    count: u64,
}

struct Slot {
    /// The smaller, the longer it waits.
    turn: u64,
    until: Timestamp,
    open: Open,
}

impl Sessions {
    /// Takes a command out, for its owner to go on with it. Who names another's learns nothing about it.
    pub(super) fn take(
        &self,
        id: &str,
        owner: &FullJid,
        node: &str,
        now: Timestamp,
    ) -> Result<Open, StanzaError> {
        let all = &mut self.0.lock().all;
        let known = all.get(id).is_some_and(|slot| slot.open.owner == *owner && slot.open.node == node);
        let taken = if known { all.remove(id) } else { None };
        match taken {
            Some(slot) if now <= slot.until => Ok(slot.open),
            Some(_) => Err(condition(StanzaError::not_allowed(), "session-expired")),
            None => Err(condition(StanzaError::bad_request(), "bad-sessionid")),
        }
    }

    /// Keeps a command until it is answered. An account's oldest makes room for one more; of all there are only so many.
    pub(super) fn keep(&self, id: &str, open: Open, now: Timestamp) -> Result<(), StanzaError> {
        let mut waiting = self.0.lock();
        let Waiting { all, count } = &mut *waiting;
        let own = || all.iter().filter(|(_, slot)| slot.open.uid == open.uid);
        if own().count() >= limits::COMMANDS_OF_ACCOUNT
            && let Some(oldest) = own().min_by_key(|(_, slot)| slot.turn).map(|(id, _)| id.clone())
        {
            all.remove(&oldest);
        }
        if all.len() >= limits::COMMANDS {
            all.retain(|_, slot| now <= slot.until);
        }
        if all.len() >= limits::COMMANDS {
            let text = "Too many commands are under way. Try again later.";
            return Err(StanzaError::resource_constraint().text(text));
        }
        *count += 1;
        let until = Timestamp(now.0 + limits::COMMAND_WAITS.as_millis() as i64);
        all.insert(id.to_owned(), Slot { turn: *count, until, open });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> FullJid {
        FullJid::new(text).expect("an address")
    }

    fn open(owner: &str) -> Open {
        open_of(1, owner)
    }

    fn open_of(uid: u64, owner: &str) -> Open {
        Open {
            uid: Uid(uid),
            owner: jid(owner),
            node: "n",
            answers: Vec::new(),
            form: Form::untyped(),
            last: true,
        }
    }

    fn error(outcome: Result<Open, StanzaError>) -> &'static str {
        outcome.err().and_then(|error| error.app).expect("a condition").1
    }

    #[test]
    fn only_its_owner_goes_on_with_a_command() {
        let sessions = Sessions::default();
        let now = Timestamp(0);
        sessions.keep("1", open("a@b/c"), now).expect("room");
        assert_eq!(error(sessions.take("2", &jid("a@b/c"), "n", now)), "bad-sessionid");
        assert_eq!(error(sessions.take("1", &jid("a@b/d"), "n", now)), "bad-sessionid");
        assert!(sessions.take("1", &jid("a@b/c"), "n", now).is_ok(), "it is still there");
    }

    #[test]
    fn a_command_waits_for_so_long() {
        let sessions = Sessions::default();
        let wait = limits::COMMAND_WAITS.as_millis() as i64;
        sessions.keep("1", open("a@b/c"), Timestamp(0)).expect("room");
        assert!(sessions.take("1", &jid("a@b/c"), "n", Timestamp(wait)).is_ok());
        sessions.keep("1", open("a@b/c"), Timestamp(0)).expect("room");
        assert_eq!(error(sessions.take("1", &jid("a@b/c"), "n", Timestamp(wait + 1))), "session-expired");
    }

    #[test]
    fn there_are_only_so_many() {
        let sessions = Sessions::default();
        for n in 0..=limits::COMMANDS_OF_ACCOUNT {
            sessions.keep(&n.to_string(), open("a@b/c"), Timestamp(n as i64)).expect("room");
        }
        assert_eq!(sessions.0.lock().all.len(), limits::COMMANDS_OF_ACCOUNT);
        assert_eq!(
            error(sessions.take("0", &jid("a@b/c"), "n", Timestamp(0))),
            "bad-sessionid",
            "the oldest"
        );
        for n in 0..limits::COMMANDS {
            sessions.keep(&format!("x{n}"), open_of(2 + n as u64, "u@b/c"), Timestamp(0)).ok();
        }
        assert!(sessions.keep("y", open_of(9999, "y@b/c"), Timestamp(1)).is_err());
        assert!(
            sessions.keep("y", open_of(9999, "y@b/c"), Timestamp(10_000_000)).is_ok(),
            "those that expired are gone"
        );
    }
}
