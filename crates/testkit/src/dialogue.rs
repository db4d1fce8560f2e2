//! Dialogues: what goes over the wire, both ways, in a small language that can be read aloud.
//!
//! `tests/scenarios/README.md` describes the language. A file becomes one [`Case`], or one for each row of its
//! table; each case runs against a fresh server.

mod mail;
mod matching;
mod parse;
mod party;
mod provider;
mod reach;
mod room;
mod run;
mod sentence;
mod sms;
mod target;
mod template;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rookery_gateway::reach::channel::{State, Way as GatewayWay};
use rookery_proto::sasl::Mechanism;

pub use mail::Spoken;
pub use run::{run, run_by};
pub use target::Target;

use crate::browser::Answer;
use crate::carrier::Mood;
use crate::provider::Answer as ProviderAnswer;
use crate::server::{Ending, StoreFault};
use crate::smsc::Mood as SmscMood;

/// The password of every account in a dialogue.
pub const PASSWORD: &str = "secret";

/// One run of a dialogue.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's path below the folder of the dialogues, without its ending, and the row of the table if it has one.
    pub name: String,
    /// Where it is written.
    pub path: PathBuf,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

impl Case {
    /// Whether it is about the bytes of a stream, which other ways do not have.
    pub fn is_about_the_stream(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(
                &step.action,
                Action::Client(_, Deed::OpensStream(Some(_)) | Deed::SendsRaw(_) | Deed::By(..))
            )
        })
    }

    /// Whether it moves the clock or breaks the server, which can be done in process only.
    pub fn needs_our_process(&self) -> bool {
        self.steps.iter().any(|step| match &step.action {
            Action::TimePasses(_)
            | Action::Duty { .. }
            | Action::Restart(..)
            | Action::Store(_)
            | Action::Administrator(_)
            | Action::Invites { .. }
            | Action::Subscription(_)
            | Action::PushService(_)
            | Action::CarrierIs(..)
            | Action::SmscIs(_)
            | Action::SmscIsHanded(_)
            | Action::SmscIsHandedNothing
            | Action::SmscSays(_)
            | Action::SmscBrings(..)
            | Action::SmscBringsAtOnce(_)
            | Action::SmscHangsUp
            | Action::CarrierIsHanded(..)
            | Action::CarrierIsHandedNothing(_)
            | Action::CarrierSays(..)
            | Action::AnswersBy(..) => true,
            Action::Client(who, _) => who.component().is_some(),
            _ => false,
        })
    }
}

/// One sentence of a dialogue.
#[derive(Clone, Debug)]
pub struct Step {
    /// The line in the file, from 1.
    pub line: usize,
    /// The sentence as it is written.
    pub sentence: String,
    /// What it means.
    pub action: Action,
}

/// What a sentence can say.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `server registration=open`, before everything else; another server is taken as it is
    Server(Vec<(String, String)>),
    /// `account romeo juliet`
    Accounts(Vec<String>),
    /// `romeo and juliet are friends`
    Friends(String, String),
    /// `romeo is an administrator`
    Administrator(String),
    /// `{key} makes the code {code}`: of this moment (RFC 6238)
    Code(String, String),
    /// `time passes 10 minutes`
    TimePasses(Duration),
    /// These take turns in a group.
    Duty {
        /// The group.
        name: String,
        /// Who.
        people: Vec<String>,
        /// After how many minutes the next is told.
        minutes: u32,
    },
    /// `the server restarts`, `the server is killed and restarts`
    /// What goes by before it is there again.
    Restart(Ending, Duration),
    /// `the operator deletes juliet`
    Deletes(String),
    /// `the operator invites as {token} with uses=2`
    Invites {
        /// The variable that the token is bound to.
        token: String,
        /// What the invitation is to be.
        settings: Vec<(String, String)>,
    },
    /// `the store fails`, `the store stalls`, `the store is full`, `the store works again`
    Store(Option<StoreFault>),
    /// `the rest is ignored`: whatever has arrived and was not mentioned
    RestIgnored,
    /// `a browser has the subscription box`: its endpoint and keys are `{box.endpoint}`, `{box.p256dh}`, `{box.auth}`
    Subscription(String),
    /// `box is told:`, which decrypts what is posted and needs new keys for the next one
    IsTold(String, String),
    /// `box is posted to`: something, which is not looked into
    IsPostedTo(String),
    /// `box is posted nothing`
    IsPostedNothing(String),
    /// `the push service answers 429 after 120`, `the push service hangs`
    PushService(Answer),
    /// `the smsc throttles`
    SmscIs(SmscMood),
    /// `the smsc is handed:` a number, a colon and what is said to it
    SmscIsHanded(String),
    /// `the smsc is handed nothing`
    SmscIsHandedNothing,
    /// `the smsc brings at once:` lines as of `the smsc brings:`, of which none waits for the answer to the one before
    SmscBringsAtOnce(String),
    /// `the smsc hangs up`: the connection ends, and may be made again
    SmscHangsUp,
    /// `the smsc says DELIVRD`: of the latest that it was handed
    SmscSays(String),
    /// `the smsc brings:` `+49… to 4711: text`; or `brings in vain:`
    SmscBrings(String, bool),
    /// `the provider answers 200:` and what stands below; `the provider breaks`
    ProviderIs(ProviderAnswer),
    /// `the provider is asked:` the body of a request
    ProviderIsAsked(String),
    /// `the provider is asked nothing`
    ProviderIsAskedNothing,
    /// `the provider posts:` what stands below, and is answered 200; `the provider posts and is answered 503:`; `a forger posts
    /// and is answered 403:`
    ProviderPosts {
        /// What.
        body: String,
        /// It is not the provider.
        forged: bool,
        /// The status of the answer.
        status: u16,
    },
    /// `the sms carrier defers`
    CarrierIs(GatewayWay, Mood),
    /// `the sms carrier is handed:` an address, a colon and what is said to it
    CarrierIsHanded(GatewayWay, String),
    /// `the sms carrier is handed nothing`
    CarrierIsHandedNothing(GatewayWay),
    /// `the sms carrier says delivered`: of the latest that it was handed
    CarrierSays(GatewayWay, State),
    /// `+4917 answers by sms:` what stands below
    AnswersBy(String, GatewayWay, String),
    /// `a mail server connects`
    MailServerConnects,
    /// `a front server connects`: the operator's own, by LMTP
    FrontServerConnects,
    /// `mail program mutt connects`: from this machine, or (true) from elsewhere
    MailProgramConnects(String, bool),
    /// `mail program mutt connects to send`: from this machine, or (true) `from afar`
    MailProgramSends(String, bool),
    /// `mail program mutt speaks:`
    MailProgramSpeaks(String, Vec<Spoken>),
    /// `a caller connects`
    CallerConnects,
    /// `the caller speaks:`
    CallerSpeaks(Vec<Spoken>),
    /// `a mail goes out`: the smarthost is called, sooner or later
    MailGoesOut,
    /// `no mail goes out`
    NoMailGoesOut,
    /// `the smarthost speaks:`
    SmarthostSpeaks(Vec<Spoken>),
    /// `the mail server speaks:`
    MailServerSpeaks(Vec<Spoken>),
    /// `romeo/orchard …`
    Client(Who, Deed),
}

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// A stream over a connection (RFC 6120).
    #[default]
    Stream,
    /// `by WebSocket` (RFC 7395)
    WebSocket,
    /// `by BOSH` (XEP-0206)
    Bosh,
}

impl Way {
    /// What a dialogue calls it.
    pub fn from_name(name: &str) -> Option<Way> {
        match name {
            "TCP" => Some(Way::Stream),
            "WebSocket" => Some(Way::WebSocket),
            "BOSH" => Some(Way::Bosh),
            _ => None,
        }
    }
}

/// A client in a dialogue: `romeo/orchard`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The account's name or number.
    pub account: String,
    /// The resource it binds.
    pub resource: String,
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.account, self.resource)
    }
}

impl Who {
    /// The host of a component, written `component/host`.
    fn component(&self) -> Option<&str> {
        (self.account == "component").then_some(&self.resource)
    }
}

/// What a client does, or what happens to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// `connects`, `connects and is available`, `connects and is available with priority -1`
    Connects {
        /// The priority of the initial presence, if there is to be one.
        available: Option<i8>,
    },
    /// `wants urn:one urn:two`: is available, and says that it wants notifications of these nodes when it is asked
    Wants(Vec<String>),
    /// `opens a connection`: no byte is sent
    OpensConnection,
    /// `opens a stream`, `opens a stream with:` a header of its own; the connection is made if there is none
    OpensStream(Option<String>),
    /// `signs in`: a new connection, a stream, authentication, and the stream after it
    SignsIn,
    /// `signs in with SCRAM-SHA-256`: the same with this mechanism
    SignsInWith(Mechanism),
    /// `signs in with SASL2`, `signs in with SASL2 asking for: …`: on a new connection, with SCRAM-SHA-256, and this along
    /// with it; what the server says to it is to be received
    SignsInWith2(Option<String>),
    /// `signs in with token {token} asking for: …`: the same with a token
    SignsInWithToken {
        /// The token, or a variable that has it.
        token: String,
        /// What goes along.
        asking: Option<String>,
    },
    /// `resumes with SASL2`: inside of authentication; fails if the server refuses
    ResumesWith2,
    /// `sends:` elements, each counted by stream management if it is a stanza
    Sends(String),
    /// `sends raw:` text as it is
    SendsRaw(String),
    /// `receives:` these elements, in this order
    Receives(String),
    /// `receives in any order:`
    ReceivesInAnyOrder(String),
    /// `does not receive:` anything that matches; the rest stays to be received
    DoesNotReceive(String),
    /// `receives nothing`
    ReceivesNothing,
    /// `settles`: forgets whatever has arrived
    Settles,
    /// `sees the end of the stream`: `</stream:stream>`
    SeesFooter,
    /// `sees the connection end`
    SeesEnd,
    /// `runs the command strangers with strangers=refuse`: a form of one stage (XEP-0050), filled in so
    RunsCommand {
        /// The last part of the command's node.
        name: String,
        /// Fields and their values; a field may occur more than once.
        fields: Vec<(String, String)>,
    },
    /// `makes the room nest as romeo with membersonly=1`: what that brings is forgotten
    MakesRoom {
        /// The localpart of its address.
        room: String,
        /// The nick.
        nick: String,
        /// Fields of its configuration without `muc#roomconfig_`, and their values; a field may occur more than once.
        fields: Vec<(String, String)>,
    },
    /// `enters the room nest as juliet`: what that brings is forgotten, by the others too
    EntersRoom {
        /// The localpart of its address.
        room: String,
        /// The nick.
        nick: String,
    },
    /// `disconnects`: closes the stream, and nobody mentions the presence
    Disconnects,
    /// `closes the stream`
    ClosesStream,
    /// `is cut`: the connection ends without a word
    IsCut,
    /// `enables stream management`, and `… by hand`: then `<r/>` is not answered
    EnablesSm {
        /// Whether `<r/>` stays unanswered.
        by_hand: bool,
    },
    /// `resumes`: on a new connection; fails if the server refuses
    Resumes,
    /// `resumes in vain`: fails if the server does not refuse
    ResumesInVain,
    /// `… by WebSocket`: any deed that makes a connection, in this way
    By(Way, Box<Deed>),
}

/// Read a dialogue. `root` is the folder that its name is relative to.
pub fn read(root: &Path, path: &Path) -> Result<Vec<Case>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let name = path.strip_prefix(root).unwrap_or(path).with_extension("");
    parse::cases(&name.to_string_lossy(), path, &text)
}

/// All dialogues below a folder, in the order of their names.
pub fn read_all(root: &Path) -> Result<Vec<Case>> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        cases.extend(read(root, &file)?);
    }
    Ok(cases)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "dialogue") {
            files.push(path);
        }
    }
    Ok(())
}
