//! After authentication: a resource is bound (RFC 6120 §7), or a session resumed (XEP-0198 §5).

use super::{Carrier, Negotiation, Result, error};
use rookery_core::limits;
use rookery_core::member::Member;
use rookery_core::resume::Begin;
use rookery_core::session::Session;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza};
use rookery_proto::stream::sm;
use rookery_proto::xml::Xml;
use std::sync::Arc;

impl<S: Carrier> Negotiation<S> {
    /// Until there is a session.
    pub(super) async fn unbound(&mut self, member: &Member) -> Result<()> {
        while self.session.is_none() {
            let element = self.element().await?;
            self.is_there().await?;
            if element.is(ns::SM, "resume") {
                let previd = element.attr("previd").unwrap_or_default().into_owned();
                let h = element.attr("h").and_then(|h| h.parse().ok());
                let Some(h) = h else { return error("bad-format") };
                let answer = self.resume(member, &previd, h).await;
                self.send(&answer).await?;
            } else if element.is(ns::SM, "enable") {
                self.send(&sm::failed("unexpected-request", None)).await?;
            } else if element.kind() == Kind::Iq {
                self.bind(member, &element).await?;
            } else {
                return error("not-authorized");
            }
        }
        Ok(())
    }

    /// Resumes a session if it can be; gives the answer.
    pub(super) async fn resume(&mut self, member: &Member, previd: &str, h: u32) -> Vec<u8> {
        match self.server.core.resume(member.uid, previd, h).await {
            Ok((session, handled)) => {
                tracing::info!(uid = member.uid.0, resource = session.resource(), "session resumed");
                self.server.core.meters.resumed.increment(1);
                session.state().lang = self.lang.clone();
                self.session = Some(session);
                sm::resumed(previd, handled)
            }
            Err(refused) => {
                self.server.core.meters.not_resumed.increment(1);
                sm::failed(refused.condition, refused.handled)
            }
        }
    }

    /// A session begins.
    pub(super) fn begin(&mut self, session: Arc<Session>) {
        tracing::info!(uid = session.uid.0, resource = session.resource(), "session begins");
        self.server.core.meters.bound.increment(1);
        session.state().lang = self.lang.clone();
        self.session = Some(session);
    }

    async fn bind(&mut self, member: &Member, iq: &Stanza) -> Result<()> {
        let core = self.server.core.clone();
        let request = iq.child(ns::BIND, "bind").filter(|_| iq.type_().as_deref() == Some("set"));
        let Some(request) = request else {
            // RFC 6120 §7.1: no stanza to others before the resource is bound.
            let reply =
                StanzaError::not_authorized().reply(iq, Some(member.address.as_str())).unwrap_or_default();
            return self.send(&reply).await;
        };
        let wanted =
            request.child(ns::BIND, "resource").map(|r| r.text().into_owned()).filter(|r| !r.is_empty());
        let begin = Begin { installation: self.installation, ..Begin::default() };
        let bound = match wanted {
            Some(resource) if resource.len() > limits::RESOURCE_BYTES => {
                Err(StanzaError::bad_request().text("This resource is too long."))
            }
            Some(resource) => core.bind(member, &resource, begin).await,
            None => core.bind(member, &core.env.token(), begin).await,
        };
        let answer = match bound {
            Ok(session) => {
                let mut x = Xml::new();
                x.open("iq").attr("type", "result").opt("id", iq.id());
                x.open_ns("bind", ns::BIND).text_element("jid", session.jid.as_str()).close().close();
                self.begin(session);
                x.into_vec()
            }
            Err(refused) => refused.reply(iq, Some(member.address.as_str())).unwrap_or_default(),
        };
        self.send(&answer).await
    }
}
