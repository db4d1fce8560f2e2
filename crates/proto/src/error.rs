//! Stanza errors (RFC 6120 §8.3) and stream errors (RFC 6120 §4.9).

use crate::ns;
use crate::stanza::Stanza;
use crate::xml::Xml;

/// What the sender of a failed stanza may do (RFC 6120 §8.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorType {
    /// Retry after giving credentials.
    Auth,
    /// Do not retry.
    Cancel,
    /// Retry after changing what was sent.
    Modify,
    /// Retry later.
    Wait,
}

impl ErrorType {
    /// What it is called on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ErrorType::Auth => "auth",
            ErrorType::Cancel => "cancel",
            ErrorType::Modify => "modify",
            ErrorType::Wait => "wait",
        }
    }
}

/// A stanza error: type, defined condition, a sentence for people, and perhaps an application's own condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StanzaError {
    /// What the sender may do.
    pub kind: ErrorType,
    /// The defined condition's element name (RFC 6120 §8.3.3).
    pub condition: &'static str,
    /// A plain English sentence, or nothing.
    pub text: Option<String>,
    /// An application-specific condition: (namespace, element name).
    pub app: Option<(&'static str, &'static str)>,
    /// An attribute of that condition: (name, value).
    pub app_attr: Option<(&'static str, &'static str)>,
    /// What else that condition says.
    pub app_detail: Option<Box<Detail>>,
}

/// What an application-specific condition says beyond its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Detail {
    /// An attribute: its name and value.
    Attr(&'static str, String),
    /// A child in the condition's namespace: its name and text.
    Child(&'static str, String),
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident = $kind:ident, $condition:literal;)*) => {
        impl StanzaError {
            $($(#[$doc])* pub fn $name() -> StanzaError {
                StanzaError { kind: ErrorType::$kind, condition: $condition, text: None, app: None, app_attr: None, app_detail: None }
            })*
        }
    };
}

conditions! {
    /// The stanza's content is not understood.
    bad_request = Modify, "bad-request";
    /// Something with that name exists already.
    conflict = Cancel, "conflict";
    /// The feature is known and not offered.
    feature_not_implemented = Cancel, "feature-not-implemented";
    /// The sender may not do this.
    forbidden = Auth, "forbidden";
    /// The server failed; nothing was done.
    internal_server_error = Cancel, "internal-server-error";
    /// The item that was addressed does not exist.
    item_not_found = Cancel, "item-not-found";
    /// An address is not an address.
    jid_malformed = Modify, "jid-malformed";
    /// The content does not meet the server's rules.
    not_acceptable = Modify, "not-acceptable";
    /// Not for this sender, whoever it is.
    not_allowed = Cancel, "not-allowed";
    /// The sender must be authorised first.
    not_authorized = Auth, "not-authorized";
    /// A local rule was broken (too much, too fast, too large).
    policy_violation = Modify, "policy-violation";
    /// The sender must become a member first.
    registration_required = Auth, "registration-required";
    /// The other server is not known to this one.
    remote_server_not_found = Cancel, "remote-server-not-found";
    /// The other server did not take it in time.
    remote_server_timeout = Wait, "remote-server-timeout";
    /// The server lacks room or power now; try later.
    resource_constraint = Wait, "resource-constraint";
    /// Nobody is there to take the stanza.
    service_unavailable = Cancel, "service-unavailable";
    /// The stanza is out of place now.
    unexpected_request = Wait, "unexpected-request";
}

impl StanzaError {
    /// The sender blocks whom it writes to (XEP-0191 §3.3).
    pub fn blocked() -> StanzaError {
        StanzaError::not_acceptable().kind(ErrorType::Cancel).app(ns::BLOCKING_ERRORS, "blocked")
    }

    /// The same error with a sentence that tells a person what was wrong.
    pub fn text(mut self, text: impl Into<String>) -> StanzaError {
        self.text = Some(text.into());
        self
    }

    /// The same error with an application-specific condition.
    pub fn app(mut self, ns: &'static str, name: &'static str) -> StanzaError {
        self.app = Some((ns, name));
        self
    }

    /// The same error with an attribute on its application-specific condition.
    pub fn app_attr(mut self, name: &'static str, value: &'static str) -> StanzaError {
        self.app_attr = Some((name, value));
        self
    }

    /// The same error with more in its application-specific condition.
    pub fn app_detail(mut self, detail: Detail) -> StanzaError {
        self.app_detail = Some(Box::new(detail));
        self
    }

    /// The same error with another type (RFC 6120 §8.3.3 allows it for most conditions).
    pub fn kind(mut self, kind: ErrorType) -> StanzaError {
        self.kind = kind;
        self
    }

    /// The `<error/>` element alone.
    pub fn write(&self, x: &mut Xml) {
        x.open("error").attr("type", self.kind.name()).leaf_ns(self.condition, ns::STANZAS);
        if let Some(text) = &self.text {
            x.open_ns("text", ns::STANZAS).text(text).close();
        }
        if let Some((ns, name)) = self.app {
            x.open_ns(name, ns);
            if let Some((name, value)) = self.app_attr {
                x.attr(name, value);
            }
            match self.app_detail.as_deref() {
                Some(Detail::Attr(name, value)) => {
                    x.attr(name, value);
                }
                Some(Detail::Child(name, text)) => {
                    x.text_element(name, text);
                }
                None => {}
            }
            x.close();
        }
        x.close();
    }

    /// The answer to `stanza` for its sender `to` (nothing where it has no address yet): type `error`, from whom it was sent to, same id.
    ///
    /// Gives nothing for a stanza that is itself an error or an IQ answer: an error never answers those
    /// (RFC 6120 §8.3.1, §8.2.3).
    pub fn reply(&self, stanza: &Stanza, to: Option<&str>) -> Option<Vec<u8>> {
        if matches!(stanza.type_().as_deref(), Some("error" | "result")) {
            return None;
        }
        let mut x = Xml::new();
        x.open(stanza.name()).attr("type", "error");
        x.opt("id", stanza.id());
        x.opt("from", stanza.to()).opt("to", to);
        self.write(&mut x);
        x.close();
        Some(x.into_vec())
    }
}
