//! The directory: what accounts let others find of them.
//!
//! Only the words of those whom everybody may find are kept to be searched, so that a search cannot show anybody else.

use rookery_proto::{Uid, prepared};

use crate::sqlite::directory;
use crate::store::Store;
use crate::{Account, Result, limits};

/// Who finds an account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Findable {
    /// Nobody.
    #[default]
    Nobody,
    /// Who knows its number or its name.
    Exactly,
    /// Everybody who searches.
    Everybody,
}

/// What an account says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Card {
    /// Who finds it.
    pub findable: Findable,
    /// Whether those who find it are told that it is online.
    pub online: bool,
    /// The nickname that is shown.
    pub nick: Option<String>,
    /// What it is interested in, a few words each.
    pub interests: Vec<String>,
}

/// An account that was found, with what it says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The account.
    pub account: Account,
    /// Its card.
    pub card: Card,
}

/// What a word of a card belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// The nickname or the name.
    Nick,
    /// An interest.
    Interest,
}

/// The words of a text as they are compared: folded, and separated by all that is neither letter nor digit. Where a
/// script does not separate its words, all that stands together is one word.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).flat_map(by_script).map(fold)
}

/// The beginnings of words that a text is found by: of each word its own, and of what is written without spaces each
/// place, so that any part of it is the beginning of one.
pub(crate) fn beginnings(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for word in words(text) {
        let whole = if word.chars().any(is_unspaced) { usize::MAX } else { 1 };
        all.extend(word.char_indices().take(whole).map(|(at, _)| word[at..].to_owned()));
    }
    all.truncate(limits::CARD_WORDS);
    all
}

/// Cuts where letters of words with spaces meet those without.
fn by_script(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let unspaced = is_unspaced(first);
        let end = rest.find(|c| is_unspaced(c) != unspaced).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts
}

/// Whether a letter is of a script that writes words without spaces: Han, Kana, Hangul (which has them, but not where
/// people look for a part of a name), Thai, Lao, Khmer, Burmese.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// As addresses are compared, where it could stand in one.
fn fold(word: &str) -> String {
    prepared::node(word).unwrap_or_else(|_| word.to_lowercase())
}

impl Store {
    /// What the account says of itself.
    pub async fn card(&self, uid: Uid) -> Result<Card> {
        self.read(move |conn| directory::card(conn, uid)).await
    }

    /// Replaces what the account says of itself.
    pub async fn set_card(&self, uid: Uid, card: Card) -> Result<()> {
        self.write(move |tx| directory::set_card(tx, uid, &card)).await
    }

    /// Accounts that everybody may find and that have a word beginning with each of these, at most `limit`, in the order of
    /// their numbers and after `after`. Without words there are none. Nobody is among them who cannot sign in.
    pub async fn find(
        &self,
        words: Vec<(Part, String)>,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Found>> {
        self.read(move |conn| directory::find(conn, &words, after, limit)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_cut() {
        let all = |text: &str| words(text).collect::<Vec<_>>();
        assert_eq!(all("Ｒomeo Montague-SS2"), ["romeo", "montague", "ss2"]);
        assert_eq!(all("小明Wang さくら!"), ["小明", "wang", "さくら"]);
        assert_eq!(all(" -- "), [""; 0]);
    }

    #[test]
    fn any_part_of_what_has_no_spaces_is_a_beginning() {
        assert_eq!(beginnings("Wang 王小明"), ["wang", "王小明", "小明", "明"]);
        assert_eq!(beginnings(&"王".repeat(1_000)).len(), limits::CARD_WORDS);
    }
}
