//! Mail as a way to people who are not here ([`crate::reach`]): a sending becomes a letter. Its queue and its patience are reach's.

use super::letter::{Letter, Letters, Part};
use crate::reach::channel::{Channel, Handed, Handing, Sending, Way};
use std::sync::Arc;

/// The channel.
pub struct Notices {
    letters: Arc<Letters>,
}

impl Notices {
    /// By these letters.
    pub fn new(letters: Arc<Letters>) -> Notices {
        Notices { letters }
    }

    async fn hand(&self, sending: &Sending) -> Handed {
        let what = &sending.what;
        let name = format!("notice-{}", sending.id.0);
        let subject = if what.title.is_empty() { "A message waits for you" } else { &what.title };
        let parts = [Part::Words(what.text.clone())];
        let letter =
            Letter { name: &name, to: &what.address, language: "en", subject, at: what.at, parts: &parts };
        self.letters.hand(&letter).await
    }
}

impl Channel for Notices {
    fn way(&self) -> Way {
        Way::Mail
    }

    fn hand_over<'a>(&'a self, sending: &'a Sending) -> Handing<'a> {
        Box::pin(self.hand(sending))
    }
}
