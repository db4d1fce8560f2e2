//! The newer SASL profile (XEP-0388), with what can be asked for along with authentication: binding (XEP-0386), tokens
//! (XEP-0484), stream management (XEP-0198), better credentials (XEP-0480). Its elements, read and written; what they
//! bring about is the server's.

use crate::ns;
use crate::sasl::{Condition, Hash, Mechanism, decode};
use crate::stanza::{Child, Stanza};
use crate::xml::Xml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Bytes of what a client says of itself: longer is cut.
pub const AGENT_BYTES: usize = 255;

/// `<authenticate/>` (XEP-0388 §2.3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authenticate {
    /// The mechanism's name, as it was written.
    pub mechanism: String,
    /// The mechanism's first message, if there is one.
    pub initial: Option<Vec<u8>>,
    /// What the client says of itself.
    pub agent: UserAgent,
    /// Upgrade tasks that the client is ready for (XEP-0480).
    pub upgrades: Vec<Hash>,
    /// The client wants its session back.
    pub resume: Option<Resume>,
    /// The client wants a resource.
    pub bind: Option<Bind>,
    /// The mechanism for which the client wants a token (XEP-0484 §3.2).
    pub request_token: Option<String>,
    /// The client has a token.
    pub fast: Option<Fast>,
}

/// `<user-agent/>`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserAgent {
    /// Tells this installation from all others; random, chosen by the client.
    pub id: Option<String>,
    /// The application.
    pub software: Option<String>,
    /// The machine.
    pub device: Option<String>,
    /// The machine is one that others use too: an element of our own, in [`ns::CLIENTS`].
    pub public: bool,
}

/// `<resume/>` of XEP-0198.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resume {
    /// The id that `<enabled/>` had.
    pub previd: String,
    /// How many stanzas the client has handled.
    pub h: u32,
}

/// `<bind/>` of XEP-0386.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bind {
    /// How the resource is to begin.
    pub tag: Option<String>,
    /// With carbons (XEP-0280).
    pub carbons: bool,
    /// In the inactive state (XEP-0352).
    pub inactive: bool,
    /// With stream management; true if the session is to be resumable.
    pub management: Option<bool>,
}

/// `<fast/>` of XEP-0484.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fast {
    /// How often the client has used the token.
    pub count: Option<u32>,
    /// The token is not to be good any more after this.
    pub invalidate: bool,
}

impl Authenticate {
    /// Reads `<authenticate/>`, all of it, so that what is wrong is said before anything has happened.
    pub fn parse(element: &Stanza) -> Result<Authenticate, Condition> {
        let mut out = Authenticate {
            mechanism: element.attr("mechanism").unwrap_or_default().into_owned(),
            ..Authenticate::default()
        };
        for child in element.children() {
            match (child.ns(), child.name()) {
                (ns::SASL2, "initial-response") => out.initial = Some(decode(&child.text())?),
                (ns::SASL2, "user-agent") => out.agent = UserAgent::parse(&child),
                (ns::SASL_UPGRADE, "upgrade") => {
                    let hash = upgrade_of(child.text().trim()).ok_or(Condition::MalformedRequest)?;
                    if !out.upgrades.contains(&hash) {
                        out.upgrades.push(hash);
                    }
                }
                (ns::SM, "resume") => out.resume = Some(Resume::parse(&child)?),
                (ns::BIND2, "bind") => out.bind = Some(Bind::parse(&child)),
                (ns::FAST, "request-token") => {
                    out.request_token = Some(child.attr("mechanism").unwrap_or_default().into_owned());
                }
                (ns::FAST, "fast") => out.fast = Some(Fast::parse(&child)?),
                // XEP-0388 §2.3: what is not known is no reason to fail.
                _ => {}
            }
        }
        Ok(out)
    }
}

impl UserAgent {
    fn parse(element: &Child<'_>) -> UserAgent {
        let text = |name| {
            let text = element.child(ns::SASL2, name).map(|child| child.text().trim().to_owned());
            text.map(cut).filter(|text| !text.is_empty())
        };
        let id = element.attr("id").map(|id| cut(id.into_owned())).filter(|id| !id.is_empty());
        let public = element.child(ns::CLIENTS, "public").is_some();
        UserAgent { id, software: text("software"), device: text("device"), public }
    }
}

/// At most [`AGENT_BYTES`] of a text.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(AGENT_BYTES));
    text
}

impl Resume {
    fn parse(element: &Child<'_>) -> Result<Resume, Condition> {
        let h = element.attr("h").and_then(|h| h.parse().ok()).ok_or(Condition::MalformedRequest)?;
        Ok(Resume { previd: element.attr("previd").unwrap_or_default().into_owned(), h })
    }
}

impl Bind {
    fn parse(element: &Child<'_>) -> Bind {
        let mut bind = Bind::default();
        for child in element.children() {
            match (child.ns(), child.name()) {
                (ns::BIND2, "tag") => bind.tag = Some(child.text().trim().to_owned()),
                (ns::CARBONS, "enable") => bind.carbons = true,
                (ns::CSI, "inactive") => bind.inactive = true,
                (ns::SM, "enable") => bind.management = Some(is_true(&child, "resume")),
                _ => {}
            }
        }
        bind
    }
}

impl Fast {
    fn parse(element: &Child<'_>) -> Result<Fast, Condition> {
        let count = element.attr("count").map(|count| count.parse()).transpose();
        let count = count.map_err(|_| Condition::MalformedRequest)?;
        Ok(Fast { count, invalidate: is_true(element, "invalidate") })
    }
}

fn is_true(element: &Child<'_>, name: &str) -> bool {
    matches!(element.attr(name).as_deref(), Some("true" | "1"))
}

/// The name of the task that upgrades credentials for `hash` (XEP-0480 §3).
pub fn upgrade_name(hash: Hash) -> String {
    format!("UPGR-{}", Mechanism::Scram { hash, plus: false }.name())
}

/// The hash of an upgrade task.
pub fn upgrade_of(name: &str) -> Option<Hash> {
    Hash::ALL.into_iter().find(|hash| upgrade_name(*hash) == name)
}

/// `<authentication/>`, the stream feature (XEP-0388 §2.1): `mechanisms` with a password, `tokens` with a token. All of it
/// is the same for whoever asks, so that it does not tell which accounts there are.
pub(crate) fn write_feature(x: &mut Xml, mechanisms: &[&str], tokens: &[&str]) {
    x.open_ns("authentication", ns::SASL2);
    for mechanism in mechanisms {
        x.text_element("mechanism", mechanism);
    }
    x.open("inline").leaf_ns("sm", ns::SM);
    x.open_ns("bind", ns::BIND2).open("inline");
    for feature in [ns::CARBONS, ns::CSI, ns::SM] {
        x.open("feature").attr("var", feature).close();
    }
    x.close().close();
    if !tokens.is_empty() {
        x.open_ns("fast", ns::FAST);
        for mechanism in tokens {
            x.text_element("mechanism", mechanism);
        }
        x.close();
    }
    x.close();
    for hash in Hash::ALL {
        x.open_ns("upgrade", ns::SASL_UPGRADE).text(&upgrade_name(hash)).close();
    }
    x.close();
}

/// `<success/>` (§2.6.1): `identifier` is the account's address, or the session's if there is one; `inside` is what else
/// came of it, as XML.
pub fn success(data: Option<&[u8]>, identifier: &str, inside: &[u8]) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("success", ns::SASL2);
    additional(&mut x, data);
    x.text_element("authorization-identifier", identifier).raw(inside).close();
    x.into_vec()
}

fn additional(x: &mut Xml, data: Option<&[u8]>) {
    if let Some(data) = data {
        x.text_element("additional-data", &BASE64.encode(data));
    }
}

/// `<continue/>` with one task (§2.6.3): the password was right, and the client is to do this before it is let in.
pub fn next_task(data: Option<&[u8]>, task: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("continue", ns::SASL2);
    additional(&mut x, data);
    x.open("tasks").text_element("task", task).close().close();
    x.into_vec()
}

/// What the client needs to hash its password anew (XEP-0480 §3).
pub fn upgrade_salt(salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("task-data", ns::SASL2).open_ns("salt", ns::SCRAM_UPGRADE);
    x.attr("iterations", &iterations.to_string()).text(&BASE64.encode(salt)).close().close();
    x.into_vec()
}

/// The hashed password that a client sends in an upgrade task; nothing for anything else.
pub fn upgrade_hash(task_data: &Stanza) -> Option<Vec<u8>> {
    let hash = task_data.child(ns::SCRAM_UPGRADE, "hash").filter(|_| task_data.is(ns::SASL2, "task-data"))?;
    decode(&hash.text()).ok()
}

/// `<token/>` (XEP-0484 §3.3); `expiry` as XEP-0082 writes it.
pub fn write_token(x: &mut Xml, token: &str, expiry: &str) {
    x.open_ns("token", ns::FAST).attr("token", token).attr("expiry", expiry).close();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(inside: &str) -> Result<Authenticate, Condition> {
        let xml = format!("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='M'>{inside}</authenticate>");
        Authenticate::parse(&Stanza::parse(xml.as_bytes()).unwrap())
    }

    #[test]
    fn all_of_it() {
        let asked = parse(
            "<initial-response>\n AAE=\n</initial-response>
             <user-agent id='d4565fa7'><software>Chat</software><device> Phone </device>
               <public xmlns='https://rookery.im/protocol/clients'/></user-agent>
             <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>
             <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>
             <resume xmlns='urn:xmpp:sm:3' previd='x' h='4294967295'/>
             <bind xmlns='urn:xmpp:bind:0'><tag>Chat</tag><enable xmlns='urn:xmpp:carbons:2'/>
               <inactive xmlns='urn:xmpp:csi:0'/><enable xmlns='urn:xmpp:sm:3' resume='1'/></bind>
             <request-token xmlns='urn:xmpp:fast:0' mechanism='HT'/>
             <fast xmlns='urn:xmpp:fast:0' count='3' invalidate='true'/><unknown xmlns='urn:example'/>",
        );
        let expected = Authenticate {
            mechanism: "M".into(),
            initial: Some(vec![0, 1]),
            agent: UserAgent {
                id: Some("d4565fa7".into()),
                software: Some("Chat".into()),
                device: Some("Phone".into()),
                public: true,
            },
            upgrades: vec![Hash::Sha256],
            resume: Some(Resume { previd: "x".into(), h: u32::MAX }),
            bind: Some(Bind {
                tag: Some("Chat".into()),
                carbons: true,
                inactive: true,
                management: Some(true),
            }),
            request_token: Some("HT".into()),
            fast: Some(Fast { count: Some(3), invalidate: true }),
        };
        assert_eq!(asked, Ok(expected));
    }

    #[test]
    fn little_of_it() {
        let asked = parse(
            "<initial-response/><bind xmlns='urn:xmpp:bind:0'/><user-agent/><fast xmlns='urn:xmpp:fast:0'/>",
        );
        let expected = Authenticate {
            mechanism: "M".into(),
            initial: Some(Vec::new()),
            bind: Some(Bind::default()),
            fast: Some(Fast::default()),
            ..Authenticate::default()
        };
        assert_eq!(asked, Ok(expected));
        let long = parse(&format!("<user-agent id='{}'/>", "ä".repeat(200))).unwrap().agent.id.unwrap();
        assert_eq!(long, "ä".repeat(127));
    }

    #[test]
    fn what_is_wrong_is_said_at_once() {
        for (inside, condition) in [
            ("<initial-response>!</initial-response>", Condition::IncorrectEncoding),
            ("<resume xmlns='urn:xmpp:sm:3' previd='x'/>", Condition::MalformedRequest),
            ("<resume xmlns='urn:xmpp:sm:3' previd='x' h='-1'/>", Condition::MalformedRequest),
            ("<fast xmlns='urn:xmpp:fast:0' count='4294967296'/>", Condition::MalformedRequest),
            ("<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-PLAIN</upgrade>", Condition::MalformedRequest),
        ] {
            assert_eq!(parse(inside), Err(condition), "{inside}");
        }
    }
}
