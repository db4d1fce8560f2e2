//! Authentication as RFC 6120 §6 has it: the stream begins anew after it.

use super::exchange::{Profile, overtaken};
use super::{Carrier, Negotiation, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_core::member::Member;
use rookery_core::xep::fast::Entrant;
use rookery_proto::ns;
use rookery_proto::sasl::decode_initial;
use rookery_proto::sasl2::UserAgent;
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;
use std::sync::Arc;

impl<S: Carrier> Negotiation<S> {
    /// One authentication (§6.4): the account, or nothing when it failed and may be tried again.
    pub(super) async fn classic(&mut self, auth: &Stanza) -> Result<Option<Arc<Member>>> {
        let name = auth.attr("mechanism").unwrap_or_default().into_owned();
        let outcome = match decode_initial(auth.text().trim()) {
            Ok(initial) => self.exchange(Profile::Classic, &name, initial).await?,
            Err(condition) => Err(condition.into()),
        };
        let proven = match outcome {
            Ok(proven) => proven,
            Err(refusal) => return self.fail(Profile::Classic, refusal).await.map(|()| None),
        };
        let entrant = Entrant {
            uid: proven.member.uid,
            agent: &UserAgent::default(),
            peer: self.peer,
            proof: proven.proof,
            used: None,
            request: None,
        };
        if let Err(error) = self.server.core.sign_in(entrant).await {
            return self.fail(Profile::Classic, overtaken(&error).into()).await.map(|()| None);
        }
        let mut x = Xml::new();
        x.open_ns("success", ns::SASL);
        if let Some(data) = proven.data {
            x.text(&BASE64_STANDARD.encode(data));
        }
        x.close();
        self.send(&x.into_vec()).await?;
        tracing::info!(uid = proven.member.uid.0, peer = %self.peer, mechanism = name, "signed in");
        Ok(Some(proven.member))
    }
}
