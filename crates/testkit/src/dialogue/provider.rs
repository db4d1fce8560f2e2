//! The provider of short messages by HTTP in a dialogue: what it is asked, and what it posts.

use anyhow::{Result, bail};

use super::run::Play;
use super::template::{fill, matches};
use crate::provider::status;

impl Play {
    /// What it is asked next is this.
    pub(super) async fn provider_is_asked(&mut self, template: &str) -> Result<()> {
        let actual = self.target.ours()?.provider.next().await;
        if !matches(template.trim_end(), &actual, &mut self.variables) {
            bail!("it was asked {actual}");
        }
        Ok(())
    }

    /// It posts this and is answered so; or somebody does, whose signature is of something else.
    pub(super) async fn provider_posts(&mut self, block: &str, forged: bool, expected: u16) -> Result<()> {
        let body = fill(block.trim_end(), &self.variables)?;
        let server = self.target.ours()?;
        let at = server.core().env.now().0 / 1000;
        let mut request = server.provider.signed(&body, at);
        if forged {
            request = request.replacen(&format!("X-Timestamp: {at}"), &format!("X-Timestamp: {}", at + 1), 1);
        }
        match status(server.connect_http(), &request).await? {
            actual if actual == expected => Ok(()),
            actual => bail!("it was answered {actual}"),
        }
    }
}
