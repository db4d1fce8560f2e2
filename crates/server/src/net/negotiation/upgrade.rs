//! Better keys for the password that was just proven (XEP-0480): before the client is let in, and only where those that
//! are kept were made with fewer rounds than the operator asks for now. The tasks are offered to everybody, because an
//! offer for some accounts alone would tell that they exist.

use super::exchange::{Proven, Refusal};
use super::{Carrier, Negotiation, Result, error};
use rookery_proto::ns;
use rookery_proto::sasl::{Condition, Credentials, Hash, SALT_LEN};
use rookery_proto::sasl2;
use rookery_proto::stanza::Stanza;
use rookery_store::{Proof, StoreError};

impl<S: Carrier> Negotiation<S> {
    /// The tasks that the client is ready for and that mean something. A token is no password: it changes nothing.
    pub(super) async fn upgrade(
        &mut self,
        tasks: &[Hash],
        proven: &mut Proven,
    ) -> Result<Result<(), Refusal>> {
        let core = self.server.core.clone();
        let iterations = core.policy.iterations;
        for &hash in tasks {
            let Proof::Password(kept) = &proven.proof else { break };
            let Some(old) = Credentials::from_bytes(&kept.0) else { break };
            if !old.is_behind(hash, iterations) {
                continue;
            }
            let salt = core.env.bytes::<SALT_LEN>();
            let data = proven.data.take();
            let salted = match self.salted(hash, data, &salt, iterations).await? {
                Ok(salted) => salted,
                Err(condition) => return Ok(Err(condition.into())),
            };
            let Some(new) = old.upgraded(hash, &salted, &salt, iterations) else {
                return Ok(Err(Condition::MalformedRequest.into()));
            };
            let new = rookery_store::Credentials(new.to_bytes());
            match core.store.upgrade_credentials(proven.member.uid, kept.clone(), new.clone()).await {
                Ok(()) => proven.proof = Proof::Password(new),
                // The password was changed meanwhile.
                Err(StoreError::Conflict) => return Ok(Err(Condition::NotAuthorized.into())),
                Err(_) => return Ok(Err(Condition::TemporaryAuthFailure.into())),
            }
            tracing::info!(uid = proven.member.uid.0, task = sasl2::upgrade_name(hash), "keys made anew");
        }
        Ok(Ok(()))
    }

    /// One task (XEP-0480 §3): the client learns salt and rounds, and hashes its password.
    async fn salted(
        &mut self,
        hash: Hash,
        data: Option<Vec<u8>>,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Result<Vec<u8>, Condition>> {
        let name = sasl2::upgrade_name(hash);
        self.send(&sasl2::next_task(data.as_deref(), &name)).await?;
        let next = self.element().await?;
        if is_abort(&next) {
            return Ok(Err(Condition::Aborted));
        }
        if !next.is(ns::SASL2, "next") {
            return error("not-authorized");
        }
        if next.attr("task").as_deref() != Some(&name) {
            return Ok(Err(Condition::MalformedRequest));
        }
        self.send(&sasl2::upgrade_salt(salt, iterations)).await?;
        let answer = self.element().await?;
        if is_abort(&answer) {
            return Ok(Err(Condition::Aborted));
        }
        Ok(sasl2::upgrade_hash(&answer).ok_or(Condition::MalformedRequest))
    }
}

fn is_abort(element: &Stanza) -> bool {
    element.is(ns::SASL2, "abort")
}
