//! Signing in, from the stream's features to a session that is ready. Pure: elements in, elements out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rookery_proto::ns;
use rookery_proto::sasl::client::{Binding, Client};
use rookery_proto::sasl::{self, Mechanism};
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;

/// What all sessions of a run do alike.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) domain: String,
    pub(crate) starttls: bool,
    pub(crate) mechanism: Mechanism,
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

/// What is to be done next.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn {
    Send(Vec<u8>),
    /// The TLS handshake, and a new stream within it.
    Secure,
    /// A new stream.
    Restart,
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
    Bind,
    Step(usize),
}

/// One sign-in.
pub(crate) struct SignIn {
    stage: Stage,
    secured: bool,
    /// Only makes the account (XEP-0077).
    register: bool,
    exchange: Option<Client>,
    /// The id under which a managed stream can be resumed.
    pub(crate) managed: Option<String>,
}

impl SignIn {
    pub(crate) fn new(register: bool) -> SignIn {
        SignIn { stage: Stage::Features, secured: false, register, exchange: None, managed: None }
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
            Stage::Authenticate => self.authenticate(element),
            Stage::FeaturesAgain if element.is(ns::STREAM, "features") => {
                self.stage = Stage::Bind;
                Ok(Turn::Send(bind(who.resource)))
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
        let name = profile.mechanism.name();
        let offered = features
            .child(ns::SASL, "mechanisms")
            .is_some_and(|list| list.children().any(|mechanism| mechanism.text() == name));
        if !offered {
            return Err(format!("{name} is not offered: {}", shown(features)));
        }
        let exchange = Client::new(
            profile.mechanism,
            who.local,
            who.password,
            None,
            &format!("{nonce:016x}"),
            Binding::Unsupported,
        )
        .map_err(|error| error.to_string())?;
        let mut x = Xml::new();
        x.open_ns("auth", ns::SASL).attr("mechanism", name).text(&sasl::encode(exchange.initial())).close();
        (self.stage, self.exchange) = (Stage::Authenticate, Some(exchange));
        Ok(Turn::Send(x.into_vec()))
    }

    fn authenticate(&mut self, element: &Stanza) -> Result<Turn, String> {
        let exchange = self.exchange.as_mut().ok_or("no exchange is under way")?;
        let text = element.text();
        let data = || BASE64.decode(text.trim()).map_err(|error| error.to_string());
        match element.name() {
            "challenge" => {
                let answer = exchange.respond(&data()?).map_err(|error| error.to_string())?;
                let mut x = Xml::new();
                x.open_ns("response", ns::SASL).text(&sasl::encode(&answer)).close();
                Ok(Turn::Send(x.into_vec()))
            }
            "success" => {
                let proof = data()?;
                exchange.finish((!proof.is_empty()).then_some(&proof)).map_err(|error| error.to_string())?;
                (self.stage, self.exchange) = (Stage::FeaturesAgain, None);
                Ok(Turn::Restart)
            }
            _ => Err(format!("not signed in: {}", shown(element))),
        }
    }

    /// Begins the step at this place, if there is one.
    fn step(&mut self, at: usize, profile: &Profile) -> Turn {
        self.stage = Stage::Step(at);
        let Some(step) = profile.steps.get(at) else { return Turn::Done };
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
                self.managed = Some(element.id().unwrap_or_default().into_owned());
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
                element.name() == "presence"
                    && element.from().as_deref()
                        == Some(&format!("{}@{}/{}", who.local, profile.domain, who.resource))
            }
            _ => false,
        };
        Ok(if done { self.step(at + 1, profile) } else { Turn::NotMine })
    }
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
        let mut it = SignIn::new(false);
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
        assert_eq!(it.managed.as_deref(), Some("x1"));
        assert_eq!(take(&mut it, &profile, "<message/>"), Ok(Turn::NotMine));
        assert_eq!(
            take(&mut it, &profile, "<iq type='result' id='step'/>"),
            Ok(Turn::Send(b"<presence/>".to_vec()))
        );
        assert_eq!(take(&mut it, &profile, "<presence from='ben@localhost/x'/>"), Ok(Turn::NotMine));
        assert_eq!(take(&mut it, &profile, "<presence from='anna@localhost/load'/>"), Ok(Turn::Done));
    }

    #[test]
    fn what_the_server_refuses_is_said() {
        let profile = profile(false, &[]);
        let refused = |xml: &str| {
            let mut it = SignIn::new(false);
            take(&mut it, &profile, &offer()).expect("it goes on");
            take(&mut it, &profile, xml).expect_err("it was refused")
        };
        assert!(
            refused(&format!("<failure xmlns='{}'><not-authorized/></failure>", ns::SASL))
                .contains("not-authorized")
        );
        let mut it = SignIn::new(false);
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
            let mut it = SignIn::new(true);
            assert!(matches!(take(&mut it, &profile, &offer()), Ok(Turn::Send(_))));
            assert_eq!(take(&mut it, &profile, answer).is_ok(), good, "{answer}");
        }
    }
}
