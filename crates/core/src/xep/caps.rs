//! XEP-0115: Entity Capabilities of clients, of which the server needs to know which notifications they want
//! (XEP-0163 §3.2: features that end with `+notify`).
//!
//! A client is asked once for what its hash stands for. Only what the hash proves is shared between sessions; anything
//! else is believed of the session that says it, and of no other (§9.2: no poisoning).

use super::Xep;
use crate::session::Session;
use crate::{Core, Ctx, limits, store_error};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use quick_cache::sync::Cache;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::xml::Xml;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::sync::Arc;

/// XEP-0115.
pub const INFO: Xep = Xep {
    number: "XEP-0115",
    name: "Entity Capabilities",
    version: "1.6.0",
    server: &[ns::CAPS],
    account: &[],
    note: "The server's own, in the stream features; clients' are asked for once, verified (SHA-1, SHA-256, SHA-512) and \
           remembered for their `+notify`.",
};

/// How a feature ends that asks for notifications of a node (XEP-0163 §3.2).
const NOTIFY: &str = "+notify";

/// What is remembered of a client's capabilities.
#[derive(PartialEq, Eq, Debug)]
pub struct Caps {
    /// What the client claims in its presence, which these belong to.
    claim: Box<str>,
    /// The nodes that it wants notifications of, sorted.
    wants: Box<[Box<str>]>,
}

impl Caps {
    fn new(claim: &Claim, mut nodes: Vec<String>) -> Caps {
        nodes.sort_unstable();
        nodes.dedup();
        nodes.truncate(limits::NOTIFY_NODES);
        // Also what the store would not keep costs memory here.
        let mut room = limits::NOTIFY_BYTES;
        nodes.retain(|node| {
            let fits = node.len() <= room;
            room -= if fits { node.len() } else { 0 };
            fits
        });
        Caps { claim: claim.key(), wants: nodes.into_iter().map(Into::into).collect() }
    }

    /// Whether the client wants notifications of a node.
    pub fn wants(&self, node: &str) -> bool {
        self.wants.binary_search_by(|known| (**known).cmp(node)).is_ok()
    }

    /// All nodes that it wants notifications of.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.wants.iter().map(|node| &**node)
    }
}

/// Verified capabilities, shared by all sessions.
pub struct Verified(Cache<Box<str>, Arc<Caps>>);

impl Default for Verified {
    fn default() -> Verified {
        Verified(Cache::new(limits::CAPS_CACHED))
    }
}

/// A question that a client was asked and has not answered yet.
#[derive(Debug)]
pub struct Asked {
    id: String,
    claim: Claim,
}

/// What a presence claims (§4).
#[derive(Clone, PartialEq, Eq, Debug)]
struct Claim {
    /// The hash function; empty in the form before version 1.4, which nothing can prove.
    hash: String,
    node: String,
    ver: String,
}

impl Claim {
    fn read(presence: &Stanza) -> Option<Claim> {
        let c = presence.child(ns::CAPS, "c")?;
        let text = |name: &str| c.attr(name).unwrap_or_default().into_owned();
        let claim = Claim { hash: text("hash"), node: text("node"), ver: text("ver") };
        let fits = claim.hash.len() + claim.node.len() + claim.ver.len() <= limits::CAPS_CLAIM;
        (fits && !claim.ver.is_empty()).then_some(claim)
    }

    /// Equal for equal claims. What is proven by a hash does not depend on the node.
    fn key(&self) -> Box<str> {
        match self.is_provable() {
            true => format!("{} {}", self.hash, self.ver).into(),
            false => format!("{} {} {}", self.hash, self.ver, self.node).into(),
        }
    }

    fn is_provable(&self) -> bool {
        matches!(self.hash.as_str(), "sha-1" | "sha-256" | "sha-512")
    }

    /// Whether the hash of this text is the one claimed (§5.1).
    fn proves(&self, text: &str) -> bool {
        let ver = match self.hash.as_str() {
            "sha-1" => BASE64_STANDARD.encode(Sha1::digest(text)),
            "sha-256" => BASE64_STANDARD.encode(Sha256::digest(text)),
            "sha-512" => BASE64_STANDARD.encode(Sha512::digest(text)),
            _ => return false,
        };
        ver == self.ver
    }
}

impl Core {
    /// Notes the capabilities in a session's available presence. Gives the nodes that it wants notifications of from
    /// now on; what is not known is asked for.
    pub async fn note_caps(
        &self,
        session: &Arc<Session>,
        presence: &Stanza,
    ) -> Result<Vec<String>, StanzaError> {
        let Some(claim) = Claim::read(presence) else { return Ok(Vec::new()) };
        let key = claim.key();
        {
            let state = session.state();
            let known = state.caps.as_ref().is_some_and(|caps| caps.claim == key);
            if known || state.asked_caps.as_ref().is_some_and(|asked| asked.claim == claim) {
                return Ok(Vec::new());
            }
        }
        if let Some(caps) = self.verified(&claim).await? {
            return Ok(self.set_caps(session, caps));
        }
        let id = self.env.token();
        let mut x = Xml::new();
        x.open("iq").attr("type", "get").attr("id", &id);
        x.attr("from", &self.policy.domain).attr("to", session.jid.as_str());
        // §6.2: the node that the capabilities are of.
        x.open_ns("query", ns::DISCO_INFO)
            .attr("node", &format!("{}#{}", claim.node, claim.ver))
            .close()
            .close();
        session.state().asked_caps = Some(Box::new(Asked { id, claim }));
        session.push(x.into_vec().into());
        Ok(Vec::new())
    }

    /// The capabilities that a hash is known to stand for.
    async fn verified(&self, claim: &Claim) -> Result<Option<Arc<Caps>>, StanzaError> {
        if !claim.is_provable() {
            return Ok(None);
        }
        let key = claim.key();
        if let Some(caps) = self.caps.0.get(&key) {
            return Ok(Some(caps));
        }
        let Some(nodes) = self.store.caps(&key).await.map_err(store_error)? else { return Ok(None) };
        let caps = Arc::new(Caps::new(claim, nodes));
        self.caps.0.insert(key, caps.clone());
        Ok(Some(caps))
    }

    /// Gives the nodes that the session did not want before.
    fn set_caps(&self, session: &Session, caps: Arc<Caps>) -> Vec<String> {
        let mut state = session.state();
        state.asked_caps = None;
        let before = state.caps.replace(caps.clone());
        let new = |node: &&str| before.as_ref().is_none_or(|before| !before.wants(node));
        caps.nodes().filter(new).map(str::to_owned).collect()
    }
}

/// A client's answer to the server: to the question for its capabilities, or to nothing that is waited for.
pub async fn answered(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    let asked = {
        let mut state = ctx.session.state();
        let mine = |asked: &Asked| ctx.stanza.id().is_some_and(|id| id == asked.id);
        if !state.asked_caps.as_deref().is_some_and(mine) {
            return Ok(());
        }
        state.asked_caps.take()
    };
    let Some(asked) = asked else { return Ok(()) };
    let Some(query) = ctx.stanza.child(ns::DISCO_INFO, "query") else { return Ok(()) };
    let info = Info::read(&query);
    let caps = Arc::new(Caps::new(&asked.claim, info.wants()));
    if info.text().is_some_and(|text| asked.claim.proves(&text)) {
        let (key, nodes) = (asked.claim.key(), caps.nodes().map(str::to_owned).collect());
        ctx.core.caps.0.insert(key.clone(), caps.clone());
        if let Err(error) = ctx.core.store.add_caps(&key, nodes, ctx.core.env.now()).await {
            tracing::warn!(%error, "verified capabilities were not stored: clients will be asked again");
        }
    }
    let nodes = ctx.core.set_caps(ctx.session, caps);
    ctx.core.send_last_items(ctx.session, nodes).await
}

/// What a client says of itself (XEP-0030 §3.1), as far as the hash covers it.
#[derive(Default)]
struct Info {
    /// `category/type/lang/name`.
    identities: Vec<String>,
    features: Vec<String>,
    /// Forms with a FORM_TYPE.
    forms: Vec<Form>,
}

/// A form as the hash covers it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    /// The values of its FORM_TYPE.
    kind: Vec<String>,
    /// The names of the other fields, with their values.
    fields: Vec<(String, Vec<String>)>,
}

impl Info {
    fn read(query: &Child<'_>) -> Info {
        let mut info = Info::default();
        for child in query.children() {
            let text = |name: &str| child.attr(name).unwrap_or_default().into_owned();
            match (child.ns(), child.name()) {
                (ns::DISCO_INFO, "identity") => {
                    let (category, kind) = (text("category"), text("type"));
                    info.identities.push(format!("{category}/{kind}/{}/{}", text("xml:lang"), text("name")));
                }
                (ns::DISCO_INFO, "feature") => info.features.push(text("var")),
                (ns::DATA_FORMS, "x") => info.forms.extend(read_form(&child)),
                _ => {}
            }
        }
        info
    }

    /// The nodes that notifications are wanted of.
    fn wants(&self) -> Vec<String> {
        let node = |feature: &String| feature.strip_suffix(NOTIFY).map(str::to_owned);
        self.features.iter().filter_map(node).filter(|node| !node.is_empty()).collect()
    }

    /// The text that is hashed (§5.1); nothing where the answer is ill-formed (§5.4), or could be another's in disguise.
    ///
    /// The text does not tell features, identities and forms apart: with the same hash an attacker can report a feature as
    /// the field of a form, so that everybody with that hash goes without. It is the same text, of the same parts between
    /// `<`; so it is enough that no part has a `<` in it, and that only features end with `+notify`.
    fn text(mut self) -> Option<String> {
        let mut text = String::new();
        let mut part = |part: &str, feature: bool| {
            text.push_str(part);
            text.push('<');
            !part.contains('<') && (feature || !part.ends_with(NOTIFY))
        };
        let mut sound = unique(&mut self.identities) && unique(&mut self.features);
        sound &= self.identities.iter().all(|identity| part(identity, false));
        sound &= self.features.iter().all(|feature| part(feature, true));
        self.forms.sort();
        // §5.4: a FORM_TYPE has one value, and no other form has the same.
        sound &= self.forms.windows(2).all(|pair| pair[0].kind != pair[1].kind);
        for Form { kind, mut fields } in self.forms {
            sound &= kind.len() == 1 && kind.iter().all(|kind| part(kind, false));
            fields.sort();
            for (var, mut values) in fields {
                values.sort();
                sound &= part(&var, false) && values.iter().all(|value| part(value, false));
            }
        }
        sound.then_some(text)
    }
}

/// Sorts; false if something is there twice (§5.4).
fn unique(list: &mut [String]) -> bool {
    list.sort_unstable();
    list.windows(2).all(|pair| pair[0] != pair[1])
}

/// A form with a FORM_TYPE; others are not part of the hash (§5.4).
fn read_form(form: &Child<'_>) -> Option<Form> {
    let (mut kind, mut fields) = (None, Vec::new());
    for field in form.children().filter(|c| c.name() == "field") {
        let values: Vec<String> =
            field.children().filter(|c| c.name() == "value").map(|c| c.text().into_owned()).collect();
        match field.attr("var").unwrap_or_default().into_owned() {
            var if var == "FORM_TYPE" => kind = Some(values),
            var => fields.push((var, values)),
        }
    }
    kind.map(|kind| Form { kind, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(xml: &str) -> Info {
        let xml = format!("<iq><query xmlns='{}'>{xml}</query></iq>", ns::DISCO_INFO);
        let stanza = Stanza::parse(xml.as_bytes()).expect("well-formed");
        Info::read(&stanza.child(ns::DISCO_INFO, "query").expect("a query"))
    }

    fn claim(hash: &str, ver: &str) -> Claim {
        Claim { hash: hash.into(), node: "n".into(), ver: ver.into() }
    }

    /// XEP-0115 §5.2.
    const EXODUS: &str = "<identity category='client' type='pc' name='Exodus 0.9.1'/>\
        <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>\
        <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>";

    #[test]
    fn the_examples_of_the_standard_are_proven() {
        let text = info(EXODUS).text().expect("well-formed");
        assert!(claim("sha-1", "QgayPKawpkPSDYmwT/WM94uAlu0=").proves(&text));
        // §5.3, with a form and two languages.
        let psi = info(
            "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
             <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>\
             <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>\
             <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>\
             <x xmlns='jabber:x:data' type='result'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
             <field var='ip_version'><value>ipv4</value><value>ipv6</value></field>\
             <field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>\
             <field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x>",
        );
        let text = psi.text().expect("well-formed");
        assert!(claim("sha-1", "q07IKJEyjvHSyhy//CH0CxmKi8w=").proves(&text));
        assert!(!claim("sha-256", "q07IKJEyjvHSyhy//CH0CxmKi8w=").proves(&text));
        assert!(!claim("md5", "q07IKJEyjvHSyhy//CH0CxmKi8w=").proves(&text));
    }

    #[test]
    fn what_is_ill_formed_or_ambiguous_proves_nothing() {
        for bad in [
            "<feature var='a'/><feature var='a'/>",
            "<identity category='c' type='t'/><identity category='c' type='t'/>",
            "<feature var='a&lt;b'/>",
            // A feature in disguise: as an identity, as the type of a form, as a field, as a value.
            "<identity category='http:' type='' xml:lang='jabber.org' name='protocol/mood+notify'/>",
            "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>mood+notify</value></field></x>",
            "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>t</value></field><field var='mood+notify'/></x>",
            "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>t</value></field>\
             <field var='f'><value>mood+notify</value></field></x>",
            "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>t</value><value>u</value></field></x>",
            "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>t</value></field></x>\
             <x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>t</value></field><field var='f'/></x>",
        ] {
            assert_eq!(info(bad).text(), None, "{bad}");
        }
        let plain = info("<x xmlns='jabber:x:data'><field var='f'><value>mood+notify</value></field></x>");
        assert_eq!(plain.text().as_deref(), Some(""), "a form without a type does not count");
    }

    #[test]
    fn what_is_wanted() {
        let info = info(
            "<feature var='b+notify'/><feature var='a+notify'/><feature var='c'/><feature var='+notify'/>",
        );
        let caps = Caps::new(&claim("sha-1", "x"), info.wants());
        assert_eq!(caps.nodes().collect::<Vec<_>>(), ["a", "b"]);
        assert!(caps.wants("a") && !caps.wants("c"));
    }
}
