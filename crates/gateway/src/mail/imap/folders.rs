//! Folders: which there are, and what is in them (RFC 9051 §6.3).

use super::answer::{self, folder_of};
use super::parse::{List, Name, StatusItem};
use super::session::{Answer, Handled, Session};
use rookery_proto::Uid;
use rookery_store::{Folder, FolderRole, StoreError};

/// Patterns of one command.
const PATTERNS: usize = 32;

const NONE: &str = "[NONEXISTENT] There is no such folder";

impl Session {
    pub(super) async fn create(&mut self, uid: Uid, name: &Name) -> Handled {
        let Some(name) = folder_of(name, self.rev2) else { return Answer::no("[CANNOT] This is no name") };
        let now = self.server.core.env.now();
        self.done(self.server.core.store.make_folder(uid, &name, now).await)
    }

    pub(super) async fn delete(&mut self, uid: Uid, name: &Name) -> Handled {
        let Some(name) = folder_of(name, self.rev2) else { return Answer::no(NONE) };
        loop {
            match self.server.core.store.remove_folder(uid, &name).await {
                Ok(true) => return Answer::ok("Deleted, with all that was in it"),
                Ok(false) => {}
                Err(StoreError::NotFound) => return Answer::no(NONE),
                Err(error) => return Answer::trouble(&error),
            }
        }
    }

    pub(super) async fn rename(&mut self, uid: Uid, from: &Name, to: &Name) -> Handled {
        let (Some(from), Some(to)) = (folder_of(from, self.rev2), folder_of(to, self.rev2)) else {
            return Answer::no("[CANNOT] This is no name");
        };
        let now = self.server.core.env.now();
        match self.server.core.store.rename_folder(uid, &from, &to, now).await {
            Err(StoreError::NotFound) => Answer::no(NONE),
            other => self.done(other),
        }
    }

    pub(super) async fn subscribe(&mut self, uid: Uid, name: &Name, wanted: bool) -> Handled {
        let Some(name) = folder_of(name, self.rev2) else { return Answer::no(NONE) };
        match self.server.core.store.subscribe_folder(uid, &name, wanted).await {
            // Who does not want to see what is not there has what it wants.
            Ok(there) if there || !wanted => Answer::ok("Well"),
            Ok(_) => Answer::no(NONE),
            Err(error) => Answer::trouble(&error),
        }
    }

    fn done(&self, outcome: Result<(), StoreError>) -> Handled {
        match outcome {
            Ok(()) => Answer::ok("Done"),
            Err(error) => Answer::trouble(&error),
        }
    }

    /// §6.3.9, and `LSUB` of before.
    pub(super) async fn list(&mut self, uid: Uid, list: List) -> Handled {
        let command = if list.lsub { "LSUB" } else { "LIST" };
        // An empty pattern asks for what stands between levels.
        if list.patterns.iter().all(Vec::is_empty) {
            self.wire.say(&format!("* {command} (\\Noselect) \"/\" \"\""));
            return Answer::ok("That is it");
        }
        let folders = match self.server.core.store.folders(uid).await {
            Ok(folders) => folders,
            Err(error) => return Answer::trouble(&error),
        };
        let patterns: Vec<String> =
            list.patterns.iter().take(PATTERNS).filter_map(|pattern| self.pattern(&list, pattern)).collect();
        for folder in &folders {
            let wanted = (folder.subscribed || !(list.subscribed || list.lsub))
                && (folder.role != FolderRole::Own || !list.special)
                && patterns.iter().any(|pattern| matches(pattern, &folder.name));
            if !wanted {
                continue;
            }
            let below = format!("{}/", folder.name);
            let parent = folders.iter().any(|other| other.name.starts_with(&below));
            let attributes = attributes(folder, parent, list.lsub);
            let name = answer::folder(&folder.name, self.rev2);
            self.wire.say(&format!("* {command} ({attributes}) \"/\" {name}"));
            if !list.status.is_empty()
                && let Err(error) = self.tell_status(folder, &list.status).await
            {
                return Answer::trouble(&error);
            }
            self.wire.relieve().await?;
        }
        Answer::ok("These are all")
    }

    /// A pattern with what stands before it; `None`: nothing has such a name.
    fn pattern(&self, list: &List, pattern: &[u8]) -> Option<String> {
        let whole = Name([list.reference.as_slice(), pattern].concat());
        folder_of(&whole, self.rev2)
    }

    /// §6.3.11.
    pub(super) async fn status(&mut self, uid: Uid, name: &Name, items: &[StatusItem]) -> Handled {
        let Some(name) = folder_of(name, self.rev2) else { return Answer::no(NONE) };
        match self.server.core.store.folder(uid, &name).await {
            Ok(Some(folder)) => match self.tell_status(&folder, items).await {
                Ok(()) => Answer::ok("That is it"),
                Err(error) => Answer::trouble(&error),
            },
            Ok(None) => Answer::no(NONE),
            Err(error) => Answer::trouble(&error),
        }
    }

    async fn tell_status(&mut self, folder: &Folder, items: &[StatusItem]) -> Result<(), StoreError> {
        let counts = self.server.core.store.folder_counts(folder.id).await?;
        let told = items.iter().map(|item| match item {
            StatusItem::Messages => format!("MESSAGES {}", counts.mails),
            StatusItem::Recent => "RECENT 0".to_owned(),
            StatusItem::UidNext => format!("UIDNEXT {}", folder.next),
            StatusItem::UidValidity => format!("UIDVALIDITY {}", folder.validity),
            StatusItem::Unseen => format!("UNSEEN {}", counts.unseen),
            StatusItem::Deleted => format!("DELETED {}", counts.deleted),
            StatusItem::Size => format!("SIZE {}", counts.size),
            StatusItem::HighestModseq => format!("HIGHESTMODSEQ {}", folder.modseq),
        });
        let told = told.collect::<Vec<_>>().join(" ");
        self.condstore |= items.contains(&StatusItem::HighestModseq);
        let name = answer::folder(&folder.name, self.rev2);
        self.wire.say(&format!("* STATUS {name} ({told})"));
        Ok(())
    }

    /// RFC 9208: all that an account keeps, mails and files, is in one quota.
    pub(super) async fn quota(&mut self, uid: Uid, name: Option<&Name>) -> Handled {
        if let Some(name) = name {
            let Some(name) = folder_of(name, self.rev2) else { return Answer::no(NONE) };
            match self.server.core.store.folder(uid, &name).await {
                Ok(Some(folder)) => {
                    let name = answer::folder(&folder.name, self.rev2);
                    self.wire.say(&format!("* QUOTAROOT {name} \"\""));
                }
                Ok(None) => return Answer::no(NONE),
                Err(error) => return Answer::trouble(&error),
            }
        }
        let store = &self.server.core.store;
        let room = async {
            let own = store.file_quota(uid).await?;
            let usual = self.server.core.policy.files.as_ref().and_then(|files| files.quota.account);
            Ok::<_, StoreError>((store.file_usage(uid).await?.bytes, own.or(usual)))
        };
        match room.await {
            // In units of 1,024 bytes (§5.1).
            Ok((used, Some(most))) => {
                let (used, most) = (used.div_ceil(1_024), most / 1_024);
                self.wire.say(&format!("* QUOTA \"\" (STORAGE {used} {most})"));
                Answer::ok("That is it")
            }
            Ok((_, None)) => {
                self.wire.say("* QUOTA \"\" ()");
                Answer::ok("There is no bound")
            }
            Err(error) => Answer::trouble(&error),
        }
    }
}

fn attributes(folder: &Folder, parent: bool, lsub: bool) -> String {
    let mut all = vec![if parent { "\\HasChildren" } else { "\\HasNoChildren" }];
    all.extend(match folder.role {
        FolderRole::Own | FolderRole::Inbox => None,
        FolderRole::Sent => Some("\\Sent"),
        FolderRole::Drafts => Some("\\Drafts"),
        FolderRole::Junk => Some("\\Junk"),
        FolderRole::Trash => Some("\\Trash"),
        FolderRole::Archive => Some("\\Archive"),
    });
    if folder.subscribed && !lsub {
        all.push("\\Subscribed");
    }
    all.join(" ")
}

/// Whether a name is as a pattern says: `*` is anything, `%` is anything within a level. In time of both lengths multiplied.
fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Which beginnings of the name the pattern so far can be.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        match wanted {
            '*' | '%' => {
                for at in 0..name.len() {
                    reached[at + 1] |= reached[at] && (wanted == '*' || name[at] != '/');
                }
            }
            wanted => {
                for at in (0..name.len()).rev() {
                    reached[at + 1] = reached[at] && name[at] == wanted;
                }
                reached[0] = false;
            }
        }
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_matched() {
        for (pattern, name, wanted) in [
            ("*", "a/b", true),
            ("%", "a/b", false),
            ("%", "a", true),
            ("%/%", "a/b", true),
            ("a*b", "a/x/b", true),
            ("a%b", "a/x/b", false),
            ("INBOX", "INBOX", true),
            ("INBOX", "INBOX2", false),
            ("a", "", false),
            ("*a", "a", true),
            ("%*%*%*x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", false),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
