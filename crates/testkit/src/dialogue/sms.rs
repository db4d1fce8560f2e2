//! The carrier of short messages in a dialogue: what it is handed, and what it brings.

use anyhow::{Context, Result, bail};

use super::run::Play;
use super::template::{fill, matches};
use crate::smsc::Mood;

pub(super) fn mood(name: &str) -> Result<Mood> {
    Mood::from_name(name).with_context(|| format!("no smsc {name}"))
}

impl Play {
    /// What it is handed next is this: the number, a colon and the text.
    pub(super) async fn smsc_is_handed(&mut self, template: &str) -> Result<()> {
        let actual = self.target.ours()?.smsc.next().await;
        if !matches(template.trim_end(), &actual, &mut self.variables) {
            bail!("it was handed {actual:?}");
        }
        Ok(())
    }

    /// It brings this: from, `to`, our number, a colon and the text.
    pub(super) async fn smsc_brings(&mut self, block: &str) -> Result<()> {
        let filled = fill(block.trim_end(), &self.variables)?;
        let (from, to, text) = written(&filled)?;
        self.target.ours()?.smsc.brings(from, to, text).await
    }

    /// It brings these, one in each line, and waits for no answer between.
    pub(super) async fn smsc_brings_at_once(&mut self, block: &str) -> Result<()> {
        let filled = fill(block.trim_end(), &self.variables)?;
        let messages = filled.lines().map(|line| written(line.trim())).collect::<Result<Vec<_>>>()?;
        self.target.ours()?.smsc.brings_at_once(&messages).await
    }
}

/// Who wrote to whom, and what.
fn written(line: &str) -> Result<(&str, &str, &str)> {
    let (head, text) = line.split_once(": ").context("it brings `+49… to 4711: text`")?;
    let (from, to) = head.split_once(" to ").context("it brings `+49… to 4711: text`")?;
    Ok((from, to, text))
}
