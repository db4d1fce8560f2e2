//! People who are not in the roster: whether what they send is delivered, set aside or refused.
//!
//! What is set aside is in the recipient's log like any message, archived and marked as a request, and goes to no client
//! until the recipient lets the sender in: by a roster item, a subscription, an answer, or a word. The sender sees no
//! difference. What is refused looks as if nobody were there: no stranger learns from it whether the account exists.

use crate::member::Member;
use crate::privacy::Strangers;
use crate::{Core, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::Request;

impl Core {
    /// What becomes of that which `from` sends to `to`.
    pub async fn reception(&self, to: &Member, from: &BareJid) -> Result<Strangers, StanzaError> {
        let listed = self.banned_by_lists(from);
        let strangers = if listed { Strangers::Refuse } else { to.privacy.settings.strangers };
        if strangers == Strangers::Accept || self.knows(to, from).await? {
            return Ok(Strangers::Accept);
        }
        Ok(strangers)
    }

    /// Whether `who` is no stranger to `owner`: in its roster, or one whom it has written to. People who merely asked for
    /// a subscription are strangers.
    pub(crate) async fn knows(&self, owner: &Member, who: &BareJid) -> Result<bool, StanzaError> {
        if *who == owner.address || owner.privacy.answered.contains(who) {
            return Ok(true);
        }
        Ok(self.contacts_of(owner.uid).await?.iter().any(|contact| contact.jid == *who))
    }

    /// `owner` writes to `peer`, who is no stranger from now on.
    pub async fn answers(&self, owner: &Member, peer: &BareJid) -> Result<(), StanzaError> {
        // Where the operator's program may have set something aside, whoever is not known is let in.
        let nothing_waits = match self.policy.gate {
            Some(_) => self.knows(owner, peer).await?,
            None => self.reception(owner, peer).await? == Strangers::Accept,
        };
        if nothing_waits {
            return Ok(());
        }
        self.admit(owner.uid, peer.clone()).await
    }

    /// `peer` has entered the roster of `owner`: what it sent as a stranger comes in.
    pub async fn befriended(&self, owner: &Member, peer: &BareJid) -> Result<(), StanzaError> {
        match owner.privacy.settings.strangers {
            // Nothing was set aside.
            Strangers::Accept if self.policy.gate.is_none() => Ok(()),
            Strangers::Accept | Strangers::SetAside | Strangers::Refuse => {
                self.release(owner.uid, peer).await
            }
        }
    }

    /// Lets a stranger in: what it sent is delivered, and what it sends from now on. Stored when this returns.
    pub async fn admit(&self, uid: Uid, peer: BareJid) -> Result<(), StanzaError> {
        self.store.answer(uid, peer.clone()).await.map_err(store_error)?;
        self.directory.changed(uid);
        self.release(uid, &peer).await
    }

    /// Who waits to be let in, and with how much.
    pub async fn requests(&self, uid: Uid) -> Result<Vec<Request>, StanzaError> {
        self.store.requests(uid).await.map_err(store_error)
    }

    /// Throws away what a stranger sent that was set aside. It stays a stranger.
    pub async fn dismiss(&self, uid: Uid, peer: &BareJid) -> Result<(), StanzaError> {
        while self.store.dismiss(uid, peer.clone()).await.map_err(store_error)? > 0 {}
        Ok(())
    }

    /// Lets in whoever waits.
    pub(crate) async fn release_all(&self, uid: Uid) -> Result<(), StanzaError> {
        loop {
            let waiting = self.requests(uid).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            for request in waiting {
                self.release(uid, &request.peer).await?;
            }
        }
    }

    /// Lets in what `peer` sent: every device that takes messages is given it, now or when it comes, until one has taken it.
    async fn release(&self, uid: Uid, peer: &BareJid) -> Result<(), StanzaError> {
        let mut some = false;
        while self.store.release(uid, peer.clone()).await.map_err(store_error)? > 0 {
            some = true;
        }
        if some {
            self.owes(uid);
        }
        Ok(())
    }

    /// Entries of this log are owed to its devices: whoever is connected collects them.
    pub fn owes(&self, uid: Uid) {
        self.router.sessions(uid).iter().for_each(|session| session.state().hear_of_owed());
    }
}
