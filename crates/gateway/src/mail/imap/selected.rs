//! The folder that is selected, and what a program was told of it (RFC 9051 §7.4, §7.5).

use super::answer;
use super::parse::Name;
use super::session::{Answer, Handled, Session};
use super::wire::Broken;
use rookery_proto::Uid;
use rookery_store::{Filed, FolderId, StoreError};
use std::collections::HashMap;
use std::ops::Range;

/// A selected folder as its program knows it.
pub(super) struct Selected {
    pub(super) id: FolderId,
    pub(super) read_only: bool,
    /// The UIDs of its mails, ascending: their places are the numbers that they have.
    pub(super) uids: Vec<u32>,
    /// What changed up to here was told.
    pub(super) modseq: u64,
    /// What was removed up to here was told.
    expunged: u64,
    /// Changes of the program itself, which it was told of already.
    pub(super) told: HashMap<u32, u64>,
    /// What was found last (RFC 9051 §6.4.4.1).
    pub(super) saved: Vec<u32>,
}

impl Selected {
    /// The number of a mail.
    pub(super) fn number(&self, uid: u32) -> Option<usize> {
        self.uids.binary_search(&uid).ok().map(|place| place + 1)
    }
}

/// What is new in a selected folder.
enum News {
    Nothing,
    /// The folder is gone.
    Gone,
    Some {
        modseq: u64,
        expunged: u64,
        uids: Option<Vec<u32>>,
    },
}

impl Session {
    /// §6.3.2, §6.3.3.
    pub(super) async fn select(&mut self, uid: Uid, name: &Name, read_only: bool) -> Handled {
        if self.selected.take().is_some() {
            self.wire.say("* OK [CLOSED] The other one is not selected any more");
        }
        let Some(name) = answer::folder_of(name, self.rev2) else {
            return Answer::no("[NONEXISTENT] There is no such folder");
        };
        let store = self.server.core.store.clone();
        let folder = match store.folder(uid, &name).await {
            Ok(Some(folder)) => folder,
            Ok(None) => return Answer::no("[NONEXISTENT] There is no such folder"),
            Err(error) => return Answer::trouble(&error),
        };
        let read = async {
            let uids = store.filed_uids(folder.id, 0).await?;
            Ok::<_, StoreError>((uids, store.first_unseen(folder.id).await?))
        };
        let (uids, unseen) = match read.await {
            Ok(read) => read,
            Err(error) => return Answer::trouble(&error),
        };
        let next = uids.last().map_or(0, |last| last + 1).max(folder.next);
        self.wire.say("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)");
        let lasting = if read_only { "" } else { "\\Seen \\Answered \\Flagged \\Deleted \\Draft \\*" };
        self.wire.say(&format!("* OK [PERMANENTFLAGS ({lasting})] These stay"));
        self.wire.say(&format!("* {} EXISTS", uids.len()));
        if !self.rev2 {
            self.wire.say("* 0 RECENT");
            let first = unseen.and_then(|unseen| uids.binary_search(&unseen).ok());
            if let Some(first) = first {
                self.wire.say(&format!("* OK [UNSEEN {}] The first", first + 1));
            }
        }
        self.wire.say(&format!("* OK [UIDVALIDITY {}] As long as this is so", folder.validity));
        self.wire.say(&format!("* OK [UIDNEXT {next}] The next"));
        self.wire.say(&format!("* OK [HIGHESTMODSEQ {}] Up to now", folder.modseq));
        if self.rev2 {
            self.wire.say(&format!("* LIST () \"/\" {}", answer::folder(&folder.name, true)));
        }
        let (id, modseq, expunged) = (folder.id, folder.modseq, folder.expunged);
        let (told, saved) = (HashMap::new(), Vec::new());
        self.selected = Some(Selected { id, read_only, uids, modseq, expunged, told, saved });
        Answer::ok(if read_only { "[READ-ONLY] Selected" } else { "[READ-WRITE] Selected" })
    }

    /// Tells what is new in the selected folder, if there is one; removals only with `removals`.
    pub(super) async fn sync(&mut self, removals: bool) -> Result<Result<(), StoreError>, Broken> {
        let Some(mut selected) = self.selected.take() else { return Ok(Ok(())) };
        let news = match self.news(&selected, removals).await {
            Ok(news) => news,
            Err(error) => {
                self.selected = Some(selected);
                return Ok(Err(error));
            }
        };
        let told = match news {
            News::Nothing => Ok(()),
            News::Gone => {
                for number in (1..=selected.uids.len()).rev() {
                    self.wire.say(&format!("* {number} EXPUNGE"));
                    self.wire.relieve().await?;
                }
                self.wire.say("* OK [CLOSED] This folder is gone");
                return Ok(Ok(()));
            }
            News::Some { modseq, expunged, uids } => {
                let newest = selected.uids.last().copied().unwrap_or(0);
                if let Some(uids) = uids {
                    let removed = removals && expunged > selected.expunged;
                    self.tell_numbers(&mut selected, uids, removed).await?;
                }
                if removals {
                    selected.expunged = expunged;
                }
                self.tell_flags(&mut selected, newest, modseq).await?
            }
        };
        self.selected = Some(selected);
        Ok(told)
    }

    async fn news(&self, selected: &Selected, removals: bool) -> Result<News, StoreError> {
        let store = &self.server.core.store;
        let Some(now) = store.folder_now(selected.id).await? else { return Ok(News::Gone) };
        let removed = removals && now.expunged > selected.expunged;
        if now.modseq == selected.modseq && !removed {
            return Ok(News::Nothing);
        }
        let newest = selected.uids.last().copied().unwrap_or(0);
        let uids = match (removed, now.next > newest.saturating_add(1)) {
            (true, _) => Some(store.filed_uids(selected.id, 0).await?),
            (false, true) => Some(store.filed_uids(selected.id, newest).await?),
            (false, false) => None,
        };
        Ok(News::Some { modseq: now.modseq, expunged: now.expunged, uids })
    }

    /// Which mails there are now: all, if some were removed, or those that are new.
    async fn tell_numbers(
        &mut self,
        selected: &mut Selected,
        now: Vec<u32>,
        removed: bool,
    ) -> Result<(), Broken> {
        let newest = selected.uids.last().copied().unwrap_or(0);
        let known = selected.uids.len();
        if removed {
            let mut gone = Vec::new();
            for (place, uid) in selected.uids.iter().enumerate().rev() {
                if now.binary_search(uid).is_err() {
                    self.wire.say(&format!("* {} EXPUNGE", place + 1));
                    self.wire.relieve().await?;
                    gone.push(*uid);
                }
            }
            gone.reverse();
            selected.uids.retain(|uid| gone.binary_search(uid).is_err());
            selected.saved.retain(|uid| gone.binary_search(uid).is_err());
        }
        let more = now.into_iter().filter(|uid| *uid > newest).collect::<Vec<_>>();
        if !more.is_empty() || (self.rev2 && selected.uids.len() != known) {
            selected.uids.extend(more);
            self.wire.say(&format!("* {} EXISTS", selected.uids.len()));
        }
        Ok(())
    }

    /// Whose flags changed of those that were known before.
    async fn tell_flags(
        &mut self,
        selected: &mut Selected,
        newest: u32,
        modseq: u64,
    ) -> Result<Result<(), StoreError>, Broken> {
        let store = self.server.core.store.clone();
        let told = std::mem::take(&mut selected.told);
        while selected.modseq < modseq {
            let changed = match store.filed_since(selected.id, selected.modseq).await {
                Ok(changed) => changed,
                Err(error) => return Ok(Err(error)),
            };
            let Some(last) = changed.last() else { break };
            selected.modseq = last.modseq;
            for mail in
                changed.iter().filter(|mail| mail.n <= newest && told.get(&mail.n) != Some(&mail.modseq))
            {
                if let Some(number) = selected.number(mail.n) {
                    self.say_flags(number, mail);
                    self.wire.relieve().await?;
                }
            }
        }
        selected.modseq = selected.modseq.max(modseq);
        Ok(Ok(()))
    }

    /// Tells the flags of a mail.
    pub(super) fn say_flags(&mut self, number: usize, mail: &Filed) {
        let modseq = if self.condstore { format!(" MODSEQ ({})", mail.modseq) } else { String::new() };
        let flags = answer::flags(mail);
        self.wire.say(&format!("* {number} FETCH (UID {} FLAGS {flags}{modseq})", mail.n));
    }
}

/// The UIDs at these places, which are ascending and apart.
pub(super) fn uids_at(uids: &[u32], places: &[Range<usize>]) -> Vec<u32> {
    places.iter().flat_map(|range| uids[range.clone()].iter().copied()).collect()
}
