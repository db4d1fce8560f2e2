//! What a gateway says in the name of those behind it: that they are there to be written to, and who they are.

use rookery_core::Core;
use rookery_core::component::Component;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Kind, Stanza};
use rookery_proto::xml::Xml;

/// Who is behind a gateway.
pub(crate) struct People {
    /// What the service is called.
    pub(crate) name: &'static str,
    /// Its type of identity (XEP-0030: `gateway/…`).
    pub(crate) kind: &'static str,
    /// The address outside of somebody at the gateway's host; `None`: there is no such address.
    pub(crate) outside: fn(&BareJid) -> Option<String>,
    /// What a card says beside the name (XEP-0054).
    pub(crate) card: fn(&mut Xml, &str),
}

impl People {
    /// A stanza of somebody here to the host or to somebody behind it is answered. Messages are not among them.
    pub(crate) async fn asked(&self, core: &Core, component: &Component, stanza: &[u8]) {
        let Ok(stanza) = Stanza::parse(stanza) else { return };
        let reply = match stanza.kind() {
            Kind::Iq => self.answer(&stanza),
            Kind::Presence => self.presence(&stanza),
            _ => None,
        };
        let Some(Ok(reply)) = reply.map(|reply| Stanza::parse(&reply)) else { return };
        if let Err(error) = core.from_component(component, &reply).await {
            let (gateway, condition) = (self.name, error.condition);
            tracing::warn!(gateway, condition, "a gateway said something that was not taken");
        }
    }

    /// A request is answered; answers are for nobody.
    fn answer(&self, stanza: &Stanza) -> Option<Vec<u8>> {
        let kind = stanza.type_()?;
        if !matches!(kind.as_ref(), "get" | "set") {
            return None;
        }
        let to = Jid::new(&stanza.to()?).ok()?;
        let payload = stanza.children().next();
        let answer = match (kind.as_ref(), payload) {
            ("get", Some(payload)) => self.about(&to, &payload),
            _ => Err(StanzaError::service_unavailable()),
        };
        match answer {
            Ok(payload) => {
                let mut x = Xml::new();
                x.open("iq").attr("type", "result").opt("id", stanza.id());
                x.opt("from", stanza.to()).opt("to", stanza.from()).raw(&payload).close();
                Some(x.into_vec())
            }
            Err(error) => error.reply(stanza, stanza.from().as_deref()),
        }
    }

    /// What the host, or somebody behind it, says of itself.
    fn about(&self, to: &Jid, payload: &Child<'_>) -> Result<Vec<u8>, StanzaError> {
        let correspondent = to.node().map(|_| to.to_bare());
        if correspondent.as_ref().is_some_and(|peer| (self.outside)(peer).is_none()) {
            return Err(StanzaError::item_not_found());
        }
        let mut x = Xml::new();
        match (payload.ns(), payload.name(), &correspondent) {
            (ns::PING, "ping", _) => {}
            (ns::DISCO_INFO, "query", _) if payload.attr("node").is_some() => {
                return Err(StanzaError::item_not_found());
            }
            (ns::DISCO_INFO, "query", who) => self.disco(&mut x, who.as_ref()),
            (ns::DISCO_ITEMS, "query", _) => {
                x.leaf_ns("query", ns::DISCO_ITEMS);
            }
            (ns::VCARD, "vCard", Some(peer)) => self.vcard(&mut x, peer),
            _ => return Err(StanzaError::service_unavailable()),
        }
        Ok(x.into_vec())
    }

    /// XEP-0030: a gateway, or one behind it.
    fn disco(&self, x: &mut Xml, correspondent: Option<&BareJid>) {
        x.open_ns("query", ns::DISCO_INFO);
        let mut identity = |category: &str, kind: &str, name: &str| {
            x.open("identity").attr("category", category).attr("type", kind).attr("name", name).close();
        };
        match correspondent {
            Some(peer) => identity("account", "anonymous", &(self.outside)(peer).unwrap_or_default()),
            None => identity("gateway", self.kind, self.name),
        }
        for feature in
            [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::PING].into_iter().chain(correspondent.map(|_| ns::VCARD))
        {
            x.open("feature").attr("var", feature).close();
        }
        x.close();
    }

    /// XEP-0054: nothing but the address is known of somebody there.
    fn vcard(&self, x: &mut Xml, peer: &BareJid) {
        let address = (self.outside)(peer).unwrap_or_default();
        x.open_ns("vCard", ns::VCARD).text_element("FN", &address);
        (self.card)(x, &address);
        x.close();
    }

    /// RFC 6121 §3: whoever is added agrees; nobody knows when they are there, so there is no presence beyond that.
    fn presence(&self, stanza: &Stanza) -> Option<Vec<u8>> {
        let answer = match stanza.type_().as_deref()? {
            "subscribe" => "subscribed",
            "unsubscribe" => "unsubscribed",
            _ => return None,
        };
        let (peer, to) = (Jid::new(&stanza.to()?).ok()?.to_bare(), stanza.from()?);
        let known = peer.node().is_none() || (self.outside)(&peer).is_some();
        let answer = if known { answer } else { "unsubscribed" };
        let mut x = Xml::new();
        x.open("presence").attr("from", peer.as_str()).attr("to", &to).attr("type", answer).close();
        Some(x.into_vec())
    }
}
