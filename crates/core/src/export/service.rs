//! `pubsub.xml`: what an account has at the publish-subscribe service. XEP-0227 knows personal nodes only; these are written as
//! they are.

use super::Export;
use super::ours::OURS;
use crate::xep::pep;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::Result;

/// The file's name.
const FILE: &str = "pubsub.xml";

impl Export<'_> {
    /// Writes the document: the nodes that the account made with what is in them, and its parts in all nodes. Nothing, if it
    /// has never been there.
    pub(super) async fn service(&self) -> Result<()> {
        let nodes = self.store.nodes_of_creator(pep::SERVICE, self.order.account.uid).await?;
        let parts = self.store.affiliations(pep::SERVICE, &self.address).await?;
        if nodes.is_empty() && parts.is_empty() {
            return Ok(());
        }
        self.file(FILE).await?;
        let mut x = Xml::new();
        x.raw(b"<?xml version='1.0' encoding='UTF-8'?>\n").open_ns("service", OURS);
        self.put(x.into_start_tag()).await?;
        self.all_of(pep::SERVICE, &nodes).await?;
        let mut x = Xml::new();
        x.raw(b"\n").open_ns("pubsub", ns::PUBSUB);
        pep::write_subscriptions(&mut x, &parts);
        pep::write_parts(&mut x, &parts);
        x.close().raw(b"\n</service>\n");
        self.put(x.into_vec()).await
    }
}
