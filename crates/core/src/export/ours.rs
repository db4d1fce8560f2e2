//! What only this server knows the words for: numbers, settings, devices, registrations, what was read, files.

use super::Export;
use super::files::{self, Shelf};
use crate::env::stamp;
use crate::render::archive_id;
use rookery_proto::xml::Xml;
use rookery_store::{Audience, Findable, Push, PushContent, PushTarget, Result, Strangers};

/// The namespace of these words.
pub(super) const OURS: &str = "https://rookery.im/protocol/account";

impl Export<'_> {
    /// Writes one element with all of it.
    pub(super) async fn ours(&self, x: &mut Xml, shelf: &Shelf) -> Result<()> {
        let (store, account) = (self.store, &self.order.account);
        x.open_ns("account", OURS).attr("number", &account.uid.to_string());
        x.opt("nick", account.nick.as_deref()).attr("created", &stamp(account.created));
        if let Some(last) = store.last(account.uid).await? {
            x.attr("last", &stamp(last.at)).opt("status", last.status);
        }
        if let Some(days) = store.retention_days(account.uid).await? {
            x.attr("retention-days", &days.to_string());
        }
        self.privacy(x).await?;
        self.card(x).await?;
        for device in store.devices(account.uid).await? {
            x.open("device").opt("software", device.software).opt("name", device.name);
            x.attr("first", &stamp(device.first_seen)).attr("last", &stamp(device.last_seen)).close();
        }
        let (pushes, content) = store.pushes(account.uid).await?;
        x.open("notifications").attr("content", said(content));
        for push in &pushes {
            x.open("registration").attr("service", service(push)).attr("since", &stamp(push.at));
            x.attr("resource", &push.by.resource).close();
        }
        x.close();
        for (peer, useq) in store.displayed(account.uid).await? {
            x.open("displayed")
                .attr("jid", peer.as_str())
                .attr("id", &archive_id(useq, account.epoch))
                .close();
        }
        files::write(x, shelf);
        x.close();
        Ok(())
    }

    async fn privacy(&self, x: &mut Xml) -> Result<()> {
        let privacy = self.store.privacy(self.order.account.uid).await?;
        x.open("privacy").attr("presence", audience(privacy.settings.presence));
        x.attr("last", audience(privacy.settings.last));
        x.attr(
            "strangers",
            match privacy.settings.strangers {
                Strangers::Accept => "accept",
                Strangers::SetAside => "set-aside",
                Strangers::Refuse => "refuse",
            },
        );
        for (jid, visible) in &privacy.visibility {
            x.open(if *visible { "visible" } else { "invisible" }).attr("jid", jid.as_str()).close();
        }
        for jid in &privacy.answered {
            x.open("answered").attr("jid", jid.as_str()).close();
        }
        x.close();
        Ok(())
    }

    /// What others find in the directory.
    async fn card(&self, x: &mut Xml) -> Result<()> {
        let card = self.store.card(self.order.account.uid).await?;
        x.open("directory").attr("findable", findable(card.findable));
        x.attr("online", if card.online { "true" } else { "false" }).opt("nick", card.nick.as_deref());
        card.interests.iter().for_each(|interest| _ = x.text_element("interest", interest));
        x.close();
        Ok(())
    }
}

/// The service that a registration leads to, but not where it leads there: who knows that can ring the device.
pub(super) fn service(push: &Push) -> &str {
    match &push.target {
        PushTarget::AppServer { jid, .. } => jid,
        PushTarget::Web { endpoint, .. } => {
            let rest = endpoint.split_once("://").map_or("", |(_, rest)| rest);
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            host.rsplit('@').next().unwrap_or_default()
        }
    }
}

fn said(content: PushContent) -> &'static str {
    match content {
        PushContent::Nothing => "nothing",
        PushContent::Sender => "sender",
        PushContent::Full => "full",
    }
}

fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Everybody => "everybody",
        Audience::Contacts => "contacts",
        Audience::Nobody => "nobody",
    }
}

fn findable(findable: Findable) -> &'static str {
    match findable {
        Findable::Nobody => "nobody",
        Findable::Exactly => "exactly",
        Findable::Everybody => "everybody",
    }
}
