//! XEP-0386: Bind 2, a resource along with authentication (XEP-0388).

use super::{Xep, mam};
use crate::device::Installation;
use crate::member::Member;
use crate::resume::Begin;
use crate::session::Session;
use crate::{Core, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::prepared;
use rookery_proto::sasl2::Bind;
use rookery_proto::stream::{StreamError, sm};
use rookery_proto::xml::Xml;
use std::sync::Arc;

/// XEP-0386.
pub const INFO: Xep = Xep::of(
    "XEP-0386",
    "Bind 2",
    "1.0.0",
    "With carbons, client state, stream management and the archive's ends; a client keeps its resource.",
);

impl Core {
    /// Binds a resource as the client asks (§3.2), with what it wants from the first moment on; gives the session and
    /// `<bound/>`. A client that says which installation it is gets the same resource each time, and its earlier
    /// sessions end.
    pub async fn bind2(
        &self,
        member: &Member,
        installation: Option<Installation>,
        bind: &Bind,
    ) -> Result<(Arc<Session>, Vec<u8>), StanzaError> {
        let own = match installation {
            Some(installation) => installation.device.0,
            None => self.env.bytes(),
        };
        let own = data_encoding::BASE32_NOPAD.encode(&own).to_ascii_lowercase();
        let begin =
            Begin { carbons: bind.carbons, inactive: bind.inactive, reads_archive: true, installation };
        let session = self.place(member, &resource(member, bind.tag.as_deref(), &own), begin).await?;
        let bound = self.bound(member, &session, bind).await;
        self.end_others(&session, &own).await;
        match bound {
            Ok(bound) => {
                session.state().attach(self.env.now());
                Ok((session, bound))
            }
            Err(error) => {
                self.disconnected(&session).await;
                Err(error)
            }
        }
    }

    async fn bound(
        &self,
        member: &Member,
        session: &Arc<Session>,
        bind: &Bind,
    ) -> Result<Vec<u8>, StanzaError> {
        let mut x = Xml::new();
        // The archive's ends are read after the session's place: nothing falls between the two.
        x.open_ns("bound", ns::BIND2).raw(&mam::metadata_of(self, member).await?);
        if let Some(resume) = bind.management {
            x.raw(&match self.enable(session, resume).await {
                Ok(enabled) => {
                    session.state().count_from_here();
                    enabled
                }
                Err(error) => sm::failed(error.condition, None),
            });
        }
        x.close();
        Ok(x.into_vec())
    }

    /// §3.2: earlier sessions of the same client end, whatever tag it had.
    async fn end_others(&self, session: &Arc<Session>, own: &str) {
        for other in self.router.sessions(session.uid) {
            let same =
                other.resource().strip_suffix(own).is_some_and(|tag| tag.is_empty() || tag.ends_with('/'));
            if same && !Arc::ptr_eq(&other, session) {
                let text = "The same client has signed in anew.";
                self.end(&other, Some(StreamError::with("conflict", text))).await;
            }
        }
    }
}

/// §3.2.1: the tag as it is, if it can be part of a resource, and a part of our own.
fn resource(member: &Member, tag: Option<&str>, own: &str) -> String {
    let tagged = tag.filter(|tag| !tag.is_empty()).map(|tag| format!("{tag}/{own}"));
    let fits = |resource: &String| {
        resource.len() <= limits::RESOURCE_BYTES
            && prepared::jid(&format!("{}/{resource}", member.address)).is_ok()
    };
    tagged.filter(fits).unwrap_or_else(|| own.to_owned())
}
