//! What is done with mails in a folder (RFC 9051 §6.4): marked, copied, moved, brought and removed.

use super::answer::folder_of;
use super::parse::{AppendWhat, Name, written};
use super::selected::{Selected, uids_at};
use super::session::{Answer, Handled, Session};
use crate::mail::{NewFile, NotDeposited, reading};
use mail_parser::MessageParser;
use rookery_core::member::Member;
use rookery_proto::Uid;
use rookery_store::limits::SWEEP;
use rookery_store::{FlagsChange, FolderId, FolderRole, NewFiled, StoreError, Timestamp};
use std::ops::Range;

const READ_ONLY: &str = "[READ-ONLY] This folder was only opened to be read";
const NO_FOLDER: &str = "[TRYCREATE] There is no such folder";

impl Session {
    /// `STORE` (§6.4.6, RFC 7162 §3.1.3).
    pub(super) async fn store(
        &mut self,
        selected: &mut Selected,
        member: &Member,
        places: &[Range<usize>],
        change: FlagsChange,
        silent: bool,
        by_uid: bool,
    ) -> Handled {
        if selected.read_only {
            return Answer::no(READ_ONLY);
        }
        self.condstore |= change.unchanged_since.is_some();
        let store = self.server.core.store.clone();
        let mut modified = Vec::new();
        for uids in uids_at(&selected.uids, places).chunks(SWEEP) {
            let done = store.change_flags(member.uid, selected.id, uids.to_vec(), change.clone()).await;
            let done = match done {
                Ok(done) => done,
                Err(error) => return Answer::trouble(&error),
            };
            self.tell_messenger(member, &done.read).await;
            for mail in &done.mails {
                selected.told.insert(mail.n, mail.modseq);
                let Some(number) = selected.number(mail.n) else { continue };
                match (silent, self.condstore) {
                    (false, _) => self.say_flags(number, mail),
                    // RFC 7162 §3.1.3: when it changed is told in any case.
                    (true, true) => {
                        self.wire.say(&format!("* {number} FETCH (UID {} MODSEQ ({}))", mail.n, mail.modseq))
                    }
                    (true, false) => {}
                }
                self.wire.relieve().await?;
            }
            modified.extend(done.modified);
        }
        if modified.is_empty() {
            return Answer::ok("Marked");
        }
        let numbers: Vec<u32> = match by_uid {
            true => modified,
            false => modified.iter().filter_map(|uid| selected.number(*uid)).map(|it| it as u32).collect(),
        };
        Answer::ok(format!("[MODIFIED {}] These were changed by others", written(numbers)))
    }

    /// Conversations were read up to new places by what was seen here.
    pub(super) async fn tell_messenger(
        &self,
        member: &Member,
        read: &[(rookery_proto::jid::BareJid, rookery_proto::Useq)],
    ) {
        for (peer, upto) in read {
            if let Err(error) = self.server.core.tell_displayed(member, peer, *upto).await {
                tracing::warn!(uid = member.uid.0, %error, "devices are not told what was read");
            }
        }
    }

    /// `COPY` and `MOVE` (§6.4.7, §6.4.8).
    pub(super) async fn copy(
        &mut self,
        selected: &mut Selected,
        uid: Uid,
        places: &[Range<usize>],
        to: &Name,
        moving: bool,
    ) -> Handled {
        if moving && selected.read_only {
            return Answer::no(READ_ONLY);
        }
        let Some(name) = folder_of(to, self.rev2) else { return Answer::no(NO_FOLDER) };
        let store = self.server.core.store.clone();
        let to = match store.folder(uid, &name).await {
            Ok(Some(folder)) => folder,
            Ok(None) => return Answer::no(NO_FOLDER),
            Err(error) => return Answer::trouble(&error),
        };
        let mut copied = Vec::new();
        for uids in uids_at(&selected.uids, places).chunks(SWEEP) {
            match store.copy_mails(uid, selected.id, to.id, uids.to_vec(), moving).await {
                Ok(done) => {
                    copied.extend(done.uids);
                    if done.released {
                        self.server.core.owes(uid);
                    }
                }
                Err(error) => return Answer::trouble(&error),
            }
        }
        if copied.is_empty() {
            return Answer::ok("There is nothing any more");
        }
        let (here, there) = (copied.iter().map(|it| it.0), copied.iter().map(|it| it.1));
        let code = format!("[COPYUID {} {} {}]", to.validity, written(here), written(there));
        if moving {
            // RFC 6851 §4.3: before their removal is told.
            self.wire.say(&format!("* OK {code} Moved"));
            return Answer::ok("Moved");
        }
        Answer::ok(format!("{code} Copied"))
    }

    /// `EXPUNGE`, of some mails only if they are given (§6.4.3, §6.4.9).
    pub(super) async fn expunge(
        &mut self,
        selected: &mut Selected,
        uid: Uid,
        places: Option<&[Range<usize>]>,
    ) -> Handled {
        if selected.read_only {
            // §6.4.1: closing what was opened to be read removes nothing.
            return if places.is_none() { Answer::ok("Nothing is removed") } else { Answer::no(READ_ONLY) };
        }
        let whole = 0..selected.uids.len();
        let uids = uids_at(&selected.uids, places.unwrap_or(std::slice::from_ref(&whole)));
        for uids in uids.chunks(SWEEP) {
            if let Err(error) = self.server.core.store.expunge(uid, selected.id, uids.to_vec()).await {
                return Answer::trouble(&error);
            }
        }
        Answer::ok("Removed")
    }

    /// `APPEND` (§6.3.12): on the disk before it is answered.
    pub(super) async fn append(&mut self, uid: Uid, what: AppendWhat) -> Handled {
        let AppendWhat { name, flags, keywords, at, mail } = what;
        let Some(name) = folder_of(&name, self.rev2) else { return Answer::no(NO_FOLDER) };
        let store = self.server.core.store.clone();
        let folder = match store.folder(uid, &name).await {
            Ok(Some(folder)) => folder,
            Ok(None) => return Answer::no(NO_FOLDER),
            Err(error) => return Answer::trouble(&error),
        };
        if mail.is_empty() {
            return Answer::no("[CANNOT] There is nothing in it");
        }
        if folder.role == FolderRole::Sent {
            match self.sent_already(uid, folder.id, &mail).await {
                Ok(Some((validity, n))) => {
                    return Answer::ok(format!("[APPENDUID {validity} {n}] It is there since it was sent"));
                }
                Ok(None) => {}
                Err(error) => return Answer::trouble(&error),
            }
        }
        let at = at.map_or_else(|| self.server.core.env.now(), Timestamp);
        let file = NewFile { uid, name: "mail.eml".into(), media_type: "message/rfc822".into(), data: mail };
        let raw = match (self.server.ways.deposit)(file).await {
            Ok(kept) => kept.token,
            Err(NotDeposited::NoRoom) => return Answer::no("[OVERQUOTA] There is no room left"),
            Err(NotDeposited::Found(_)) => {
                return Answer::no("[CANNOT] The scanner has found something in it");
            }
            Err(NotDeposited::Trouble) => return Answer::trouble(&StoreError::Internal),
        };
        match store.file_mail(uid, folder.id, NewFiled { raw, at, flags, keywords }).await {
            Ok((validity, n)) => Answer::ok(format!("[APPENDUID {validity} {n}] Kept")),
            Err(error) => {
                if let Err(error) = store.remove_upload(raw).await {
                    tracing::warn!(%error, "a mail that is in no folder stays for a while");
                }
                Answer::trouble(&error)
            }
        }
    }

    /// Where a mail stands that was sent from here: programs file a copy of what they have handed in.
    async fn sent_already(
        &self,
        uid: Uid,
        folder: FolderId,
        mail: &[u8],
    ) -> Result<Option<(u32, u32)>, StoreError> {
        let head = MessageParser::default().parse_headers(mail);
        match head.as_ref().and_then(|head| head.message_id()).map(reading::id) {
            Some(name) if !name.is_empty() => self.server.core.store.sent_mail_in(uid, folder, &name).await,
            _ => Ok(None),
        }
    }
}
