//! What a stream offers at each step (RFC 6120 §4.3.2).

use crate::ns;
use crate::sasl2;
use crate::xml::Xml;

/// Offers before TLS: STARTTLS, required or not (RFC 6120 §5.3.1), and beside it what an unencrypted stream may do.
#[derive(Clone, Debug, Default)]
pub struct Offer<'a> {
    /// STARTTLS is there; `true` when nothing else works without it.
    pub starttls: Option<bool>,
    /// SASL mechanisms, strongest first.
    pub mechanisms: &'a [&'a str],
    /// Mechanisms with a token (XEP-0484), strongest first; beside `mechanisms`, in the newer profile only.
    pub tokens: &'a [&'a str],
    /// Channel binding types that work on this connection (XEP-0440).
    pub bindings: &'a [&'a str],
    /// In-band registration (XEP-0077 §8).
    pub register: bool,
    /// Sign-up with an invitation token (XEP-0445 §3).
    pub register_token: bool,
    /// Largest stanza in bytes (XEP-0478).
    pub max_bytes: Option<usize>,
    /// Seconds without traffic after which the server asks or ends (XEP-0478).
    pub idle_seconds: Option<u32>,
}

impl Offer<'_> {
    /// `<stream:features/>` before authentication.
    pub fn write(&self) -> Vec<u8> {
        let mut x = Xml::new();
        x.open("stream:features");
        if let Some(required) = self.starttls {
            x.open_ns("starttls", ns::TLS);
            if required {
                x.open("required").close();
            }
            x.close();
        }
        if !self.mechanisms.is_empty() {
            x.open_ns("mechanisms", ns::SASL);
            for mechanism in self.mechanisms {
                x.text_element("mechanism", mechanism);
            }
            x.close();
        }
        if !self.mechanisms.is_empty() {
            sasl2::write_feature(&mut x, self.mechanisms, self.tokens);
        }
        if !self.bindings.is_empty() {
            x.open_ns("sasl-channel-binding", ns::SASL_CB);
            for kind in self.bindings {
                x.open("channel-binding").attr("type", kind).close();
            }
            x.close();
        }
        if self.register {
            x.leaf_ns("register", ns::REGISTER_FEATURE);
        }
        if self.register_token {
            x.leaf_ns("register", ns::IBR_TOKEN);
        }
        self.limits(&mut x);
        x.close();
        x.into_vec()
    }

    /// `<stream:features/>` after authentication: what is left to ask for, and the rest. `bound`: there is a resource
    /// already; `managed`: and stream management (a client takes the offer for an invitation, XEP-0388 §2.6.1).
    pub fn write_authenticated(&self, bound: bool, managed: bool, caps: (&str, &str)) -> Vec<u8> {
        let mut x = Xml::new();
        x.open("stream:features");
        if !bound {
            x.leaf_ns("bind", ns::BIND);
            // RFC 3921 clients still ask for a session; it means nothing any more (draft-cridland-xmpp-session).
            x.open_ns("session", ns::SESSION).leaf("optional").close();
        }
        if !managed {
            x.leaf_ns("sm", ns::SM);
        }
        x.leaf_ns("csi", ns::CSI);
        x.leaf_ns("ver", ns::ROSTERVER);
        x.leaf_ns("sub", ns::PRE_APPROVAL);
        let (node, ver) = caps;
        x.open_ns("c", ns::CAPS).attr("hash", "sha-1").attr("node", node).attr("ver", ver).close();
        self.limits(&mut x);
        x.close();
        x.into_vec()
    }

    fn limits(&self, x: &mut Xml) {
        let Some(bytes) = self.max_bytes else { return };
        x.open_ns("limits", ns::LIMITS).text_element("max-bytes", &bytes.to_string());
        if let Some(idle) = self.idle_seconds {
            x.text_element("idle-seconds", &idle.to_string());
        }
        x.close();
    }
}
