//! What is said in one connection (RFC 9051 §3): before somebody has signed in, after it, and with a folder selected.

use super::door::Seat;
use super::parse::{Command, Cursor, Deed, Set, command};
use super::selected::Selected;
use super::wire::{Broken, Came, Room, Wire};
use super::{Server, limits};
use rookery_core::member::Member;
use rookery_store::StoreError;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::watch;

/// How a command ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Ok(String),
    No(String),
    Bad(String),
    /// The connection ends.
    End,
    /// TLS begins.
    Tls,
}

/// An answer, unless the connection broke.
pub(super) type Handled = Result<Answer, Broken>;

impl Answer {
    pub(super) fn ok(text: impl Into<String>) -> Handled {
        Ok(Answer::Ok(text.into()))
    }

    pub(super) fn no(text: impl Into<String>) -> Handled {
        Ok(Answer::No(text.into()))
    }

    pub(super) fn bad(text: impl Into<String>) -> Handled {
        Ok(Answer::Bad(text.into()))
    }

    /// What the store does not do (RFC 5530).
    pub(super) fn trouble(error: &StoreError) -> Handled {
        Answer::no(match error {
            StoreError::NotFound => "[TRYCREATE] There is no such folder",
            StoreError::Conflict => "[ALREADYEXISTS] There is such a folder",
            StoreError::Limit(_) => "[LIMIT] That would be too many",
            StoreError::Invalid(_) => "[CANNOT] This cannot be done",
            StoreError::Full => "[OVERQUOTA] There is no room left",
            error => {
                tracing::warn!(%error, "a mail program is not answered");
                "[SERVERBUG] This does not work at the moment"
            }
        })
    }
}

/// A connection and what it has said so far.
pub(super) struct Session {
    pub(super) server: Arc<Server>,
    pub(super) wire: Wire,
    pub(super) peer: IpAddr,
    /// Whose mail it is, once somebody has signed in.
    pub(super) account: Option<(Arc<Member>, Seat)>,
    /// Rings when something in that account's folders changes.
    pub(super) bell: Option<watch::Receiver<()>>,
    pub(super) selected: Option<Selected>,
    /// It speaks the version of 2021 (RFC 9051 §6.3.1), and knows names in UTF-8.
    pub(super) rev2: bool,
    /// It wants to be told modseqs (RFC 7162 §3.1).
    pub(super) condstore: bool,
    /// Wrong passwords.
    pub(super) guesses: u32,
    mistakes: u32,
}

impl Session {
    pub(super) fn new(server: Arc<Server>, wire: Wire, peer: IpAddr) -> Session {
        Session {
            server,
            wire,
            peer: peer.to_canonical(),
            account: None,
            bell: None,
            selected: None,
            rev2: false,
            condstore: false,
            guesses: 0,
            mistakes: 0,
        }
    }

    /// What it can (RFC 9051 §7.2.2).
    pub(super) fn capabilities(&self) -> String {
        let mut all = vec!["IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE"];
        if self.account.is_none() {
            if self.server.settings.tls.is_some() && !self.wire.tls {
                all.push("STARTTLS");
            }
            all.push(if self.may_sign_in() { "AUTH=PLAIN" } else { "LOGINDISABLED" });
        } else {
            all.extend([
                "IDLE",
                "NAMESPACE",
                "UIDPLUS",
                "MOVE",
                "UNSELECT",
                "CHILDREN",
                "SPECIAL-USE",
                "LIST-EXTENDED",
                "LIST-STATUS",
                "STATUS=SIZE",
                "ESEARCH",
                "SEARCHRES",
                "BINARY",
                "CONDSTORE",
                "QUOTA",
                "QUOTA=RES-STORAGE",
            ]);
        }
        all.join(" ")
    }

    pub(super) async fn serve(mut self) {
        let hello =
            format!("* OK [CAPABILITY {}] {} Rookery", self.capabilities(), self.server.settings.hostname);
        self.wire.say(&hello);
        let end = loop {
            match self.next().await {
                Ok(Answer::End) => break None,
                Ok(Answer::Tls) => match self.start_tls().await {
                    Some(session) => self = session,
                    None => return,
                },
                Ok(_) => {}
                Err(broken) => break Some(broken),
            }
        };
        match end {
            None | Some(Broken::Gone) => {}
            Some(Broken::Slow) => self.wire.say("* BYE Nothing came for too long"),
            Some(Broken::Long) => self.wire.say("* BYE [TOOBIG] This command does not end"),
        }
        self.wire.close().await;
    }

    async fn start_tls(self) -> Option<Session> {
        let config = self.server.settings.tls.as_ref()?();
        let Session { server, wire, peer, mistakes, guesses, .. } = self;
        match wire.start_tls(config).await {
            // §6.2.1: what was known before is forgotten.
            Ok(wire) => Some(Session { mistakes, guesses, ..Session::new(server, wire, peer) }),
            Err(broken) => {
                tracing::debug!(%peer, ?broken, "a mail program does not get into TLS");
                None
            }
        }
    }

    /// One command.
    async fn next(&mut self) -> Handled {
        let known = self.account.is_some();
        let room = Room {
            command: if known { limits::COMMAND } else { limits::STRANGERS_COMMAND },
            append: if known { self.server.settings.largest } else { 0 },
            large: self.server.large.clone(),
        };
        let silence = if known { limits::SILENCE } else { limits::SIGN_IN };
        let (bytes, whole) = match self.wire.command(&room, silence).await? {
            Came::Command(bytes) => (bytes, true),
            Came::TooBig(bytes) => (bytes, false),
        };
        let mut cursor = Cursor::new(&bytes);
        let Some(tag) = cursor.tag() else {
            return self.mistake("*", "A command begins with its tag");
        };
        if !whole {
            return self.mistake(&tag, "[TOOBIG] This is too large");
        }
        let command = match cursor.after_tag().and_then(|()| command(&mut cursor)) {
            Ok(command) => command,
            Err(bad) => return self.mistake(&tag, bad.0),
        };
        drop(bytes);
        if !self.is_here().await {
            self.wire.say("* BYE This account cannot be used any more");
            return Ok(Answer::End);
        }
        // §7.5.1: places must not change while a program names mails by them.
        let keeps_places = matches!(
            command,
            Command::Search { by_uid: false, .. }
                | Command::On { by_uid: false, deed: Deed::Fetch { .. } | Deed::Store { .. }, .. }
        );
        let answer = self.handle(command, &tag).await?;
        if !matches!(answer, Answer::End | Answer::Tls)
            && let Err(error) = self.sync(!keeps_places).await?
        {
            tracing::warn!(%error, "a mail program is not told what is new");
        }
        match &answer {
            Answer::Ok(text) => self.wire.say(&format!("{tag} OK {text}")),
            Answer::No(text) => self.wire.say(&format!("{tag} NO {text}")),
            Answer::Bad(text) => return self.mistake(&tag, text),
            Answer::End => {}
            Answer::Tls => self.wire.say(&format!("{tag} OK Begin")),
        }
        self.wire.relieve().await?;
        Ok(answer)
    }

    /// Something was wrong; too often, and it is over.
    fn mistake(&mut self, tag: &str, why: &str) -> Handled {
        self.mistakes += 1;
        self.wire.say(&format!("{tag} BAD {why}"));
        if self.mistakes > limits::MISTAKES {
            self.wire.say("* BYE Too much of this was wrong");
            return Ok(Answer::End);
        }
        Answer::bad("")
    }

    /// Whether the account, if there is one, may still be used.
    pub(super) async fn is_here(&self) -> bool {
        let Some((member, _)) = &self.account else { return true };
        let now = self.server.core.directory.member(member.uid).await;
        // That the store does not answer is the command's to say.
        now.map_or(true, |now| now.is_some_and(|now| !now.disabled))
    }

    async fn handle(&mut self, command: Command, tag: &str) -> Handled {
        match command {
            Command::Capability => {
                let all = self.capabilities();
                self.wire.say(&format!("* CAPABILITY {all}"));
                Answer::ok("That is it")
            }
            Command::Noop => Answer::ok("Well"),
            Command::Id => {
                self.wire.say("* ID (\"name\" \"Rookery\")");
                Answer::ok("Pleased to meet you")
            }
            Command::Logout => {
                self.wire.say("* BYE Come again");
                self.wire.say(&format!("{tag} OK Bye"));
                Ok(Answer::End)
            }
            command if self.account.is_none() => self.handle_stranger(command).await,
            command => match &self.account {
                Some((member, _)) => {
                    let member = member.clone();
                    self.handle_known(command, &member, tag).await
                }
                None => Answer::bad("Sign in first"),
            },
        }
    }

    async fn handle_stranger(&mut self, command: Command) -> Handled {
        match command {
            Command::StartTls if self.wire.tls || self.server.settings.tls.is_none() => {
                Answer::bad("There is no TLS to be started")
            }
            Command::StartTls => Ok(Answer::Tls),
            Command::Login { user, password } => self.sign_in(&user, &password).await,
            Command::Authenticate { mechanism, initial } => self.authenticate(&mechanism, initial).await,
            _ => Answer::bad("Sign in first"),
        }
    }

    async fn handle_known(&mut self, command: Command, member: &Member, tag: &str) -> Handled {
        let uid = member.uid;
        match command {
            Command::Enable(what) => self.enable(&what),
            Command::Namespace => {
                self.wire.say("* NAMESPACE ((\"\" \"/\")) NIL NIL");
                Answer::ok("That is it")
            }
            Command::Select { name, read_only, condstore } => {
                self.condstore |= condstore;
                self.select(uid, &name, read_only).await
            }
            Command::Create(name) => self.create(uid, &name).await,
            Command::Delete(name) => self.delete(uid, &name).await,
            Command::Rename { from, to } => self.rename(uid, &from, &to).await,
            Command::Subscribe { name, wanted } => self.subscribe(uid, &name, wanted).await,
            Command::List(list) => self.list(uid, list).await,
            Command::Status { name, items } => self.status(uid, &name, &items).await,
            Command::Append(what) => self.append(uid, what).await,
            Command::Idle => self.idle().await,
            Command::Quota => self.quota(uid, None).await,
            Command::QuotaRoot(name) => self.quota(uid, Some(&name)).await,
            Command::SetQuota => Answer::no("[NOPERM] That is the administrators' to do"),
            Command::StartTls | Command::Login { .. } | Command::Authenticate { .. } => {
                Answer::bad("You have signed in")
            }
            command => match self.selected.take() {
                None => Answer::bad("Select a folder first"),
                // It is out of the session while a command works with it.
                Some(mut selected) => {
                    let (answer, stays) = self.handle_selected(command, &mut selected, member, tag).await?;
                    self.selected = stays.then_some(selected);
                    Ok(answer)
                }
            },
        }
    }

    /// Commands about a selected folder; whether it stays selected.
    async fn handle_selected(
        &mut self,
        command: Command,
        selected: &mut Selected,
        member: &Member,
        tag: &str,
    ) -> Result<(Answer, bool), Broken> {
        let uid = member.uid;
        let answer = match command {
            Command::Unselect => return Ok((Answer::Ok("It is not selected any more".into()), false)),
            Command::Close => {
                // §6.4.1: without a word about each.
                let answer = self.expunge(selected, uid, None).await?;
                return Ok((answer, false));
            }
            Command::Expunge => self.expunge(selected, uid, None).await?,
            Command::UidExpunge(set) => {
                let places = set.places(&selected.uids, &selected.saved, true).unwrap_or_default();
                self.expunge(selected, uid, Some(&places)).await?
            }
            Command::Search { search, by_uid } => self.search(selected, uid, search, by_uid, tag).await?,
            Command::On { set, deed, by_uid } => match self.places(selected, &set, by_uid) {
                Some(places) => self.on(selected, member, &places, deed, by_uid).await?,
                None => Answer::Bad("There are not that many mails".into()),
            },
            _ => Answer::Bad("This is not for now".into()),
        };
        Ok((answer, true))
    }

    fn places(&self, selected: &Selected, set: &Set, by_uid: bool) -> Option<Vec<Range<usize>>> {
        set.places(&selected.uids, &selected.saved, by_uid)
    }

    async fn on(
        &mut self,
        selected: &mut Selected,
        member: &Member,
        places: &[Range<usize>],
        deed: Deed,
        by_uid: bool,
    ) -> Handled {
        match deed {
            Deed::Fetch { items, changed_since } => {
                self.fetch(selected, member, places, &items, changed_since).await
            }
            Deed::Store { change, silent } => {
                self.store(selected, member, places, change, silent, by_uid).await
            }
            Deed::Copy { to, moving } => self.copy(selected, member.uid, places, &to, moving).await,
        }
    }

    /// RFC 9051 §6.3.1.
    fn enable(&mut self, what: &[String]) -> Handled {
        let mut enabled = String::new();
        for extension in what {
            match extension.as_str() {
                "IMAP4REV2" => {
                    self.rev2 = true;
                    enabled.push_str(" IMAP4rev2");
                }
                "CONDSTORE" => {
                    self.condstore = true;
                    enabled.push_str(" CONDSTORE");
                }
                _ => {}
            }
        }
        self.wire.say(&format!("* ENABLED{enabled}"));
        Answer::ok("That is it")
    }
}
