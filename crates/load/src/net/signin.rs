//! Signing in, from the stream's features to a session that is ready. Pure: elements in, elements out.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rookery_proto::ns;
use rookery_proto::sasl::client::{Binding, Client};
use rookery_proto::sasl::{self, ChannelBindings, Mechanism, TokenMechanism};
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::xml::Xml;

/// What all sessions of a run do alike.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) domain: String,
    pub(crate) starttls: bool,
    pub(crate) mechanism: Mechanism,
    /// Everything in one round trip (XEP-0388), and with a token from the second time on (XEP-0484).
    pub(crate) inline: bool,
    /// In this order, each when the one before is done.
    pub(crate) steps: Vec<Step>,
}

/// What a client does when it is bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Stream management, resumable (XEP-0198).
    Manage,
    /// Asks for its roster.
    Roster,
    /// XEP-0280.
    Carbons,
    /// Becomes available.
    Presence,
}

/// Who signs in.
pub(crate) struct Who<'a> {
    pub(crate) local: &'a str,
    pub(crate) password: &'a str,
    pub(crate) resource: &'a str,
}

/// What a client takes from one connection to the next.
#[derive(Clone, Default, PartialEq, Debug)]
pub(crate) struct Kept {
    /// The managed stream that was cut (XEP-0198 §5).
    pub(crate) stream: Option<Stream>,
    /// What it signs in with next time (XEP-0484).
    pub(crate) token: Option<String>,
}

/// A managed stream, as its client knows it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Stream {
    pub(crate) id: String,
    /// Stanzas that came.
    pub(crate) handled: u32,
    /// Stanzas that were sent.
    pub(crate) sent: u32,
}

/// A managed stream that has begun or goes on.
#[derive(PartialEq, Debug)]
pub(crate) enum Managed {
    /// Under this id.
    New(String),
    /// The one before, of which the server has handled so many stanzas.
    Resumed(u32),
}

/// What is to be done next.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn {
    Send(Vec<u8>),
    /// The TLS handshake, and a new stream within it.
    Secure,
    /// A new stream.
    Restart,
    /// Waiting.
    Nothing,
    /// Everything is done; with the stream's id if it is managed.
    Done,
    /// It has nothing to do with signing in.
    NotMine,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Features,
    Secure,
    Register,
    Authenticate,
    FeaturesAgain,
    Resume,
    Bind,
    Step(usize),
}

/// The mechanism of tokens: the one that every connection is offered.
const TOKENS: TokenMechanism = TokenMechanism::Unbound;

/// One sign-in.
pub(crate) struct SignIn {
    stage: Stage,
    secured: bool,
    /// Only makes the account (XEP-0077).
    register: bool,
    exchange: Option<Client>,
    kept: Kept,
    /// The address that the server has bound, where it chose the resource.
    bound: Option<String>,
    /// What has become of the managed stream since it was asked last.
    pub(crate) managed: Option<Managed>,
    /// The token for the next time.
    pub(crate) token: Option<String>,
}

impl SignIn {
    pub(crate) fn new(register: bool, kept: Kept) -> SignIn {
        SignIn {
            stage: Stage::Features,
            secured: false,
            register,
            exchange: None,
            kept,
            bound: None,
            managed: None,
            token: None,
        }
    }

    /// The stream that was resumed: its id, and the counts of before.
    pub(crate) fn stream(&self) -> Option<Stream> {
        self.kept.stream.clone()
    }

    /// `nonce` is for SCRAM, and fresh.
    pub(crate) fn take(
        &mut self,
        element: &Stanza,
        who: &Who<'_>,
        profile: &Profile,
        nonce: u64,
    ) -> Result<Turn, String> {
        if element.is(ns::STREAM, "error") {
            return Err(format!("the server ended the stream: {}", shown(element)));
        }
        match self.stage {
            Stage::Features if element.is(ns::STREAM, "features") => {
                self.features(element, who, profile, nonce)
            }
            Stage::Secure if element.is(ns::TLS, "proceed") => {
                (self.stage, self.secured) = (Stage::Features, true);
                Ok(Turn::Secure)
            }
            Stage::Register if element.id().as_deref() == Some("reg") => registered(element),
            Stage::Authenticate => self.authenticate(element, profile),
            Stage::FeaturesAgain if element.is(ns::STREAM, "features") => {
                Ok(self.authenticated(who, profile))
            }
            Stage::Resume if element.is(ns::SM, "resumed") => {
                self.managed = resumed(element.attr("h"))?;
                Ok(Turn::Done)
            }
            Stage::Bind if element.id().as_deref() == Some("bind") => {
                if element.type_().as_deref() != Some("result") {
                    return Err(format!("no resource: {}", shown(element)));
                }
                Ok(self.step(0, profile))
            }
            Stage::Step(at) => self.stepped(at, element, who, profile),
            _ => Err(format!("not what was waited for: {}", shown(element))),
        }
    }

    fn features(
        &mut self,
        features: &Stanza,
        who: &Who<'_>,
        profile: &Profile,
        nonce: u64,
    ) -> Result<Turn, String> {
        if profile.starttls && !self.secured {
            self.stage = Stage::Secure;
            return Ok(Turn::Send(format!("<starttls xmlns='{}'/>", ns::TLS).into_bytes()));
        }
        if self.register {
            self.stage = Stage::Register;
            return Ok(Turn::Send(registration(who, &profile.domain)));
        }
        if profile.inline && self.kept.token.is_some() {
            return self.with_token(who, profile);
        }
        let name = profile.mechanism.name();
        if !offers(features, name, profile.inline) {
            return Err(format!("{name} is not offered: {}", shown(features)));
        }
        let nonce = format!("{nonce:016x}");
        let exchange =
            Client::new(profile.mechanism, who.local, who.password, None, &nonce, Binding::Unsupported)
                .map_err(|error| error.to_string())?;
        let initial = sasl::encode(exchange.initial());
        (self.stage, self.exchange) = (Stage::Authenticate, Some(exchange));
        if profile.inline {
            let token = |x: &mut Xml| {
                x.open_ns("request-token", ns::FAST).attr("mechanism", TOKENS.name()).close();
            };
            return Ok(Turn::Send(self.all_at_once(name, &initial, who, profile, token)));
        }
        let mut x = Xml::new();
        x.open_ns("auth", ns::SASL).attr("mechanism", name).text(&initial).close();
        Ok(Turn::Send(x.into_vec()))
    }

    /// With the token from last time: one message, and no challenge (XEP-0484 §3.4).
    fn with_token(&mut self, who: &Who<'_>, profile: &Profile) -> Result<Turn, String> {
        let token = self.kept.token.take().unwrap_or_default();
        let proof = TOKENS.initial(who.local, &token, &ChannelBindings::default());
        let initial = sasl::encode(&proof.ok_or("no proof without a binding")?);
        self.stage = Stage::Authenticate;
        // It stays good; a newer one takes its place.
        self.token = Some(token);
        let fast = |x: &mut Xml| {
            x.leaf_ns("fast", ns::FAST);
        };
        Ok(Turn::Send(self.all_at_once(TOKENS.name(), &initial, who, profile, fast)))
    }

    /// `<authenticate/>` with all that is wanted (XEP-0388 §2.3): the stream of before, or a resource with its stream
    /// management.
    fn all_at_once(
        &self,
        mechanism: &str,
        initial: &str,
        who: &Who<'_>,
        profile: &Profile,
        token: impl FnOnce(&mut Xml),
    ) -> Vec<u8> {
        let mut x = Xml::new();
        x.open_ns("authenticate", ns::SASL2).attr("mechanism", mechanism);
        x.text_element("initial-response", initial);
        x.open("user-agent").attr("id", &format!("{}/{}", who.local, who.resource));
        x.text_element("software", "rookery-load").close();
        if let Some(stream) = &self.kept.stream {
            x.raw(&resume(stream));
        }
        x.open_ns("bind", ns::BIND2).text_element("tag", who.resource);
        if profile.steps.contains(&Step::Carbons) {
            x.leaf_ns("enable", ns::CARBONS);
        }
        if profile.steps.contains(&Step::Manage) {
            x.open_ns("enable", ns::SM).attr("resume", "true").close();
        }
        x.close();
        token(&mut x);
        x.close();
        x.into_vec()
    }

    /// What came along with the success (XEP-0388 §2.6.1).
    fn entered(&mut self, success: &Stanza) -> Result<(), String> {
        self.bound = success.child(ns::SASL2, "authorization-identifier").map(|id| id.text().into_owned());
        if let Some(token) = success.child(ns::FAST, "token") {
            self.token = token.attr("token").map(Cow::into_owned);
        }
        if self.kept.stream.is_some() {
            let answer = success.child(ns::SM, "resumed");
            let answer = answer.ok_or_else(|| format!("not resumed: {}", shown(success)))?;
            self.managed = resumed(answer.attr("h"))?;
        } else if let Some(bound) = success.child(ns::BIND2, "bound") {
            let enabled = bound.children().find(|child| child.is(ns::SM, "enabled"));
            let id = enabled.and_then(|enabled| enabled.attr("id").map(Cow::into_owned));
            self.managed = id.map(Managed::New);
        }
        Ok(())
    }

    /// Signed in: what comes next.
    fn authenticated(&mut self, who: &Who<'_>, profile: &Profile) -> Turn {
        if profile.inline {
            return if self.kept.stream.is_some() { Turn::Done } else { self.step(0, profile) };
        }
        if let Some(stream) = &self.kept.stream {
            self.stage = Stage::Resume;
            return Turn::Send(resume(stream));
        }
        self.stage = Stage::Bind;
        Turn::Send(bind(who.resource))
    }

    fn authenticate(&mut self, element: &Stanza, profile: &Profile) -> Result<Turn, String> {
        let text = match element.child(ns::SASL2, "additional-data") {
            Some(data) => data.text().into_owned(),
            None if element.children().next().is_none() => element.text().into_owned(),
            None => String::new(),
        };
        let data = BASE64.decode(text.trim()).map_err(|error| error.to_string())?;
        match element.name() {
            "challenge" => {
                let exchange = self.exchange.as_mut().ok_or("no exchange is under way")?;
                let answer = exchange.respond(&data).map_err(|error| error.to_string())?;
                let mut x = Xml::new();
                let ns = if profile.inline { ns::SASL2 } else { ns::SASL };
                x.open_ns("response", ns).text(&sasl::encode(&answer)).close();
                Ok(Turn::Send(x.into_vec()))
            }
            "success" => {
                // With a token there is none: the answer's proof costs the server what it costs, seen or not.
                if let Some(exchange) = self.exchange.take() {
                    exchange
                        .finish((!data.is_empty()).then_some(&data))
                        .map_err(|error| error.to_string())?;
                }
                self.stage = Stage::FeaturesAgain;
                if profile.inline {
                    self.entered(element)?;
                    return Ok(Turn::Nothing);
                }
                Ok(Turn::Restart)
            }
            _ => Err(format!("not signed in: {}", shown(element))),
        }
    }

    /// Begins the step at this place, if there is one.
    fn step(&mut self, at: usize, profile: &Profile) -> Turn {
        self.stage = Stage::Step(at);
        let Some(step) = profile.steps.get(at) else { return Turn::Done };
        if profile.inline && matches!(step, Step::Manage | Step::Carbons) {
            // It came along with the sign-in.
            return self.step(at + 1, profile);
        }
        let request = match step {
            Step::Manage => format!("<enable xmlns='{}' resume='true'/>", ns::SM),
            Step::Roster => format!("<iq type='get' id='step'><query xmlns='{}'/></iq>", ns::ROSTER),
            Step::Carbons => format!("<iq type='set' id='step'><enable xmlns='{}'/></iq>", ns::CARBONS),
            Step::Presence => "<presence/>".to_owned(),
        };
        Turn::Send(request.into_bytes())
    }

    fn stepped(
        &mut self,
        at: usize,
        element: &Stanza,
        who: &Who<'_>,
        profile: &Profile,
    ) -> Result<Turn, String> {
        let done = match profile.steps.get(at) {
            Some(Step::Manage) if element.is(ns::SM, "enabled") => {
                self.managed = Some(Managed::New(element.id().unwrap_or_default().into_owned()));
                true
            }
            Some(Step::Manage) if element.is(ns::SM, "failed") => {
                return Err(format!("not managed: {}", shown(element)));
            }
            Some(Step::Roster | Step::Carbons) if element.id().as_deref() == Some("step") => {
                if element.type_().as_deref() == Some("error") {
                    return Err(format!("a step of the sign-in failed: {}", shown(element)));
                }
                true
            }
            // RFC 6121 §4.2.2: it comes back to the session itself.
            Some(Step::Presence) => {
                let own = || format!("{}@{}/{}", who.local, profile.domain, who.resource);
                let own = self.bound.clone().unwrap_or_else(own);
                element.name() == "presence" && element.from().as_deref() == Some(&own)
            }
            _ => false,
        };
        Ok(if done { self.step(at + 1, profile) } else { Turn::NotMine })
    }
}

/// Whether the server offers a mechanism, in the one profile or in the other.
fn offers(features: &Stanza, name: &str, inline: bool) -> bool {
    let list = match inline {
        true => features.child(ns::SASL2, "authentication"),
        false => features.child(ns::SASL, "mechanisms"),
    };
    let mechanism = |child: &Child<'_>| child.name() == "mechanism" && child.text() == name;
    list.is_some_and(|list| list.children().any(|child| mechanism(&child)))
}

fn resume(stream: &Stream) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("resume", ns::SM).attr("previd", &stream.id).attr("h", &stream.handled.to_string()).close();
    x.into_vec()
}

/// The count in `<resumed/>`.
fn resumed(h: Option<Cow<'_, str>>) -> Result<Option<Managed>, String> {
    let h = h.and_then(|h| h.parse().ok()).ok_or("<resumed/> without a count")?;
    Ok(Some(Managed::Resumed(h)))
}

fn bind(resource: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("iq").attr("type", "set").attr("id", "bind");
    x.open_ns("bind", ns::BIND).text_element("resource", resource).close().close();
    x.into_vec()
}

fn registration(who: &Who<'_>, domain: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("iq").attr("type", "set").attr("id", "reg").attr("to", domain);
    x.open_ns("query", ns::REGISTER);
    x.text_element("username", who.local).text_element("password", who.password).close().close();
    x.into_vec()
}

/// XEP-0077 §3.1.1: a conflict is an account that an earlier run has made.
fn registered(element: &Stanza) -> Result<Turn, String> {
    let conflict = element
        .child(ns::CLIENT, "error")
        .is_some_and(|error| error.children().any(|condition| condition.name() == "conflict"));
    if element.type_().as_deref() == Some("result") || conflict {
        return Ok(Turn::Done);
    }
    Err(format!("no account: {}", shown(element)))
}

/// The beginning of an element, for a message to who runs the load.
fn shown(element: &Stanza) -> String {
    const SHOWN: usize = 300;
    String::from_utf8_lossy(element.as_bytes()).chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Who<'_> = Who { local: "anna", password: "secret", resource: "load" };

    fn profile(starttls: bool, steps: &[Step]) -> Profile {
        Profile {
            domain: "localhost".to_owned(),
            starttls,
            mechanism: Mechanism::Plain,
            inline: false,
            steps: steps.to_vec(),
        }
    }

    fn take(sign_in: &mut SignIn, profile: &Profile, xml: &str) -> Result<Turn, String> {
        sign_in.take(&Stanza::parse(xml.as_bytes()).expect("well-formed"), &WHO, profile, 1)
    }

    fn features(inside: &str) -> String {
        format!("<features xmlns='{}'>{inside}</features>", ns::STREAM)
    }

    fn offer() -> String {
        features(&format!("<mechanisms xmlns='{}'><mechanism>PLAIN</mechanism></mechanisms>", ns::SASL))
    }

    #[test]
    fn a_sign_in_with_everything() {
        let profile = profile(true, &[Step::Manage, Step::Roster, Step::Presence]);
        let mut it = SignIn::new(false, Kept::default());
        let starttls = format!("<starttls xmlns='{}'/>", ns::TLS).into_bytes();
        assert_eq!(take(&mut it, &profile, &features("")), Ok(Turn::Send(starttls)));
        assert_eq!(take(&mut it, &profile, &format!("<proceed xmlns='{}'/>", ns::TLS)), Ok(Turn::Secure));
        assert!(
            matches!(take(&mut it, &profile, &offer()), Ok(Turn::Send(auth)) if auth.ends_with(b"AGFubmEAc2VjcmV0</auth>"))
        );
        assert_eq!(take(&mut it, &profile, &format!("<success xmlns='{}'/>", ns::SASL)), Ok(Turn::Restart));
        assert!(matches!(take(&mut it, &profile, &features("")), Ok(Turn::Send(_))));
        assert!(matches!(take(&mut it, &profile, "<iq type='result' id='bind'/>"), Ok(Turn::Send(_))));
        let enabled = format!("<enabled xmlns='{}' id='x1' resume='1'/>", ns::SM);
        assert!(matches!(take(&mut it, &profile, &enabled), Ok(Turn::Send(_))));
        assert_eq!(it.managed, Some(Managed::New("x1".to_owned())));
        assert_eq!(take(&mut it, &profile, "<message/>"), Ok(Turn::NotMine));
        assert_eq!(
            take(&mut it, &profile, "<iq type='result' id='step'/>"),
            Ok(Turn::Send(b"<presence/>".to_vec()))
        );
        assert_eq!(take(&mut it, &profile, "<presence from='ben@localhost/x'/>"), Ok(Turn::NotMine));
        assert_eq!(take(&mut it, &profile, "<presence from='anna@localhost/load'/>"), Ok(Turn::Done));
    }

    #[test]
    fn everything_at_once_and_with_a_token_the_next_time() {
        let mut profile = profile(false, &[Step::Manage, Step::Roster]);
        profile.inline = true;
        let offer =
            format!("<authentication xmlns='{}'><mechanism>PLAIN</mechanism></authentication>", ns::SASL2);
        let mut it = SignIn::new(false, Kept::default());
        let Ok(Turn::Send(first)) = take(&mut it, &profile, &features(&offer)) else { panic!("it begins") };
        let first = String::from_utf8(first).expect("text");
        for part in ["<request-token", "<bind", "resume='true'"] {
            assert!(first.contains(part), "{part}: {first}");
        }
        let success = |inside: &str| {
            format!(
                "<success xmlns='{}'><authorization-identifier>anna@localhost/load~1</authorization-identifier>\
                 {inside}</success>",
                ns::SASL2
            )
        };
        let inside = format!(
            "<bound xmlns='{}'><enabled xmlns='{}' id='x1' resume='true'/></bound>\
             <token xmlns='{}' token='t1' expiry='2030-01-01T00:00:00Z'/>",
            ns::BIND2,
            ns::SM,
            ns::FAST
        );
        assert_eq!(take(&mut it, &profile, &success(&inside)), Ok(Turn::Nothing));
        assert_eq!(it.managed, Some(Managed::New("x1".to_owned())));
        assert_eq!(it.token.as_deref(), Some("t1"));
        assert!(
            matches!(take(&mut it, &profile, &features("")), Ok(Turn::Send(roster)) if roster.starts_with(b"<iq"))
        );

        let kept = Kept {
            stream: Some(Stream { id: "x1".to_owned(), handled: 4, sent: 2 }),
            token: Some("t1".to_owned()),
        };
        let mut it = SignIn::new(false, kept);
        let Ok(Turn::Send(again)) = take(&mut it, &profile, &features(&offer)) else { panic!("it begins") };
        let again = String::from_utf8(again).expect("text");
        for part in ["<fast", "previd='x1'", "h='4'", "HT-SHA-256-NONE"] {
            assert!(again.contains(part), "{part}: {again}");
        }
        let resumed = format!("<resumed xmlns='{}' previd='x1' h='2'/>", ns::SM);
        assert_eq!(take(&mut it, &profile, &success(&resumed)), Ok(Turn::Nothing));
        assert_eq!(it.managed, Some(Managed::Resumed(2)));
        assert_eq!(take(&mut it, &profile, &features("")), Ok(Turn::Done));
    }

    #[test]
    fn what_the_server_refuses_is_said() {
        let profile = profile(false, &[]);
        let refused = |xml: &str| {
            let mut it = SignIn::new(false, Kept::default());
            take(&mut it, &profile, &offer()).expect("it goes on");
            take(&mut it, &profile, xml).expect_err("it was refused")
        };
        assert!(
            refused(&format!("<failure xmlns='{}'><not-authorized/></failure>", ns::SASL))
                .contains("not-authorized")
        );
        let mut it = SignIn::new(false, Kept::default());
        assert!(take(&mut it, &profile, &features("")).expect_err("nothing is offered").contains("PLAIN"));
    }

    #[test]
    fn an_account_that_is_there_needs_not_be_made() {
        let profile = profile(false, &[]);
        for (answer, good) in [
            ("<iq type='result' id='reg'/>", true),
            (
                "<iq type='error' id='reg'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
                true,
            ),
            (
                "<iq type='error' id='reg'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
                false,
            ),
        ] {
            let mut it = SignIn::new(true, Kept::default());
            assert!(matches!(take(&mut it, &profile, &offer()), Ok(Turn::Send(_))));
            assert_eq!(take(&mut it, &profile, answer).is_ok(), good, "{answer}");
        }
    }
}
