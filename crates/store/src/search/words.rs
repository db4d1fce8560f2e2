//! What of a text is looked for: its words, and in scripts that do not divide words, its characters.
//!
//! A Chinese word has two characters or so and nothing around it, so each character stands for itself and a word is a
//! phrase of them. That needs no dictionary and finds every word; so it is with kana, Hangul (where endings cling to words),
//! Thai and its like, and emoji. All else is words of letters and digits, in lower case and without diacritics.

use std::borrow::Cow;

use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::{Result, StoreError, limits};

/// Between two texts of one message: no phrase goes over it. Of a private use, which no word is.
const SEAM: &str = " \u{f8fe} ";

/// What a character is to a word.
#[derive(PartialEq, Eq)]
enum Class {
    /// A part of one.
    Letter,
    /// One by itself.
    Alone,
    /// Nothing: a variant of what it stands at.
    Nothing,
    /// Between two.
    Between,
}

fn class(c: char) -> Class {
    match c {
        '0'..='9' | 'A'..='Z' | 'a'..='z' => Class::Letter,
        '\0'..='\x7f' => Class::Between,
        // The soft hyphen, the tatweel, joiners, marks of direction, selectors of variants, tones of skin, tags.
        '\u{ad}'
        | '\u{640}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' => Class::Nothing,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}' => {
            Class::Nothing
        }
        _ if is_undivided(c) || is_picture(c) => Class::Alone,
        _ if canonical_combining_class(c) != 0 => Class::Nothing,
        _ if c.is_alphanumeric() => Class::Letter,
        _ => Class::Between,
    }
}

/// A letter or sign of a script that puts nothing between words.
fn is_undivided(c: char) -> bool {
    let script = matches!(c,
        '\u{e00}'..='\u{eff}'           // Thai, Lao
        | '\u{1000}'..='\u{109f}'       // Myanmar
        | '\u{1100}'..='\u{11ff}'       // Hangul letters
        | '\u{1780}'..='\u{17ff}'       // Khmer
        | '\u{2e80}'..='\u{2fdf}'       // Radicals
        | '\u{3005}'..='\u{3007}'       // Signs of iteration, zero
        | '\u{3041}'..='\u{318f}'       // Kana, Bopomofo, Hangul letters
        | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'       // Ideographs
        | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'       // Hangul
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}');
    script && c.is_alphanumeric() && canonical_combining_class(c) == 0
}

/// Emoji and signs that are used like them.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{203c}' | '\u{2049}' | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Collects words, with a space between them.
#[derive(Default)]
struct Collector {
    words: String,
    /// Characters of the word that is being written; 0: between two.
    letters: usize,
}

impl Collector {
    fn text(&mut self, text: &str) {
        // Wide, narrow and ligated forms are the same letters (NFKC).
        for c in text.nfkc() {
            match class(c) {
                Class::Letter => c.to_lowercase().nfd().for_each(|c| self.letter(c)),
                Class::Alone => {
                    self.begin();
                    self.words.push(c);
                    self.letters = 0;
                }
                Class::Nothing => {}
                Class::Between => self.letters = 0,
            }
        }
        self.letters = 0;
    }

    fn letter(&mut self, c: char) {
        if canonical_combining_class(c) != 0 {
            return;
        }
        if self.letters == 0 {
            self.begin();
        }
        self.letters += 1;
        if self.letters <= limits::WORD_CHARS {
            // The last letter of a word is written in another way in Greek.
            self.words.push(if c == 'ς' { 'σ' } else { c });
        }
    }

    fn begin(&mut self) {
        if !self.words.is_empty() {
            self.words.push(' ');
        }
    }
}

/// The words of a text, with a space between them.
fn words(text: &str) -> String {
    let mut collector = Collector::default();
    collector.text(text);
    collector.words
}

/// The words of a message: of its subject and its texts in all languages. Empty: it says nothing.
pub(crate) fn of_stanza(stanza: &[u8]) -> String {
    let Ok(stanza) = Stanza::parse(stanza) else { return String::new() };
    let mut collector = Collector::default();
    let texts = stanza.children().filter(|c| c.ns() == ns::CLIENT && matches!(c.name(), "body" | "subject"));
    let mut room = limits::TEXT_INDEXED;
    for text in texts {
        if !collector.words.is_empty() {
            collector.words.push_str(SEAM.trim_end());
        }
        let text: Cow<'_, str> = text.text();
        let text = &text[..text.floor_char_boundary(room)];
        room -= text.len();
        collector.text(text);
    }
    collector.words
}

/// What is looked for: all of these phrases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted(Vec<Phrase>);

/// Words that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Phrase {
    words: Vec<String>,
    /// Whether the last may be the beginning of a longer one.
    open: bool,
}

impl Wanted {
    /// Reads what somebody typed. What stands in quotes is a phrase; outside of them each word may be the beginning of a
    /// longer one. Nothing in it is anything else. [`StoreError::Limit`]: it is too long.
    pub(crate) fn read(text: &str) -> Result<Wanted> {
        if text.len() > limits::TYPED_BYTES {
            return Err(StoreError::Limit("words in one search"));
        }
        let mut phrases = Vec::new();
        for (at, part) in text.split(['"', '“', '”', '„', '«', '»']).enumerate() {
            if at % 2 == 1 {
                phrases.extend(Phrase::read(part, false));
            } else {
                phrases.extend(part.split_whitespace().filter_map(|part| Phrase::read(part, true)));
            }
        }
        let count: usize = phrases.iter().map(|phrase| phrase.words.len()).sum();
        if count > limits::TYPED_WORDS {
            Err(StoreError::Limit("words in one search"))
        } else {
            Ok(Wanted(phrases))
        }
    }

    /// Whether nothing is looked for, as no word was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The expression that finds it in the index, in messages of one of these homes (words of the column `home`).
    pub(crate) fn expression(&self, homes: &[String]) -> String {
        let homes: Vec<_> = homes.iter().map(|home| format!("home : \"{home}\"")).collect();
        let mut expression = format!("({})", homes.join(" OR "));
        for phrase in &self.0 {
            // A word has letters, digits, and what is not ASCII: no quote.
            let open = if phrase.open { " *" } else { "" };
            expression.push_str(&format!(" AND words : \"{}\"{open}", phrase.words.join(" ")));
        }
        expression
    }

    /// Whether these words, as [`of_stanza`] gives them, are what is looked for: all that the index says is checked.
    pub(crate) fn matches(&self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        self.0.iter().all(|phrase| phrase.is_in(&words))
    }
}

impl Phrase {
    /// The words of a text as a phrase; `None`: it has none.
    fn read(text: &str, open: bool) -> Option<Phrase> {
        let words: Vec<String> =
            words(text).split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect();
        let last = words.last()?;
        let long = last.chars().count() >= limits::PREFIX_CHARS;
        Some(Phrase { open: open && long, words })
    }

    fn is_in(&self, words: &[&str]) -> bool {
        let Some((last, others)) = self.words.split_last() else { return true };
        words.windows(self.words.len()).any(|window| {
            window.split_last().is_some_and(|(end, begin)| {
                (end == last || (self.open && end.starts_with(last.as_str()))) && begin == others
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_have_words() {
        for (text, expected) in [
            ("Hello, World!", "hello world"),
            ("Ça m'énerve — NAÏVE Straße ﬁn", "ca m enerve naive straße fin"),
            ("ΟΔΥΣΣΕΥΣ Οδυσσεύς", "οδυσσευσ οδυσσευσ"),
            ("東京大学に行く", "東 京 大 学 に 行 く"),
            ("ﾃﾞｰﾀ", "デ ー タ"),
            ("用iPhone13打字", "用 iphone13 打 字"),
            ("한국어 공부", "한 국 어 공 부"),
            ("good 👍🏽 morning☀️🤣", "good 👍 morning ☀ 🤣"),
            ("👩‍👩‍👧", "👩 👩 👧"),
            ("שָׁלוֹם עולם", "שלום עולם"),
            ("مُحَمَّد كتـــاب", "محمد كتاب"),
            ("ภาษาไทย", "ภ า ษ า ไ ท ย"),
            ("हिन्दी", "हिनदी"),
            ("a\u{200d}b \u{e000}c\u{f8ff}d", "ab c d"),
            ("co-op x@y.z 3.14", "co op x y z 3 14"),
            ("… ?!", ""),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn messages_say_what_their_texts_say() {
        let message = "<message><subject>Plan</subject><body>a &lt;b&gt;</body><body xml:lang='de'>c</body>\
            <x xmlns='urn:example:x'><body>not this</body></x></message>";
        assert_eq!(of_stanza(message.as_bytes()), "plan \u{f8fe} a b \u{f8fe} c");
        for nothing in ["<message/>", "no XML", "<message><body/></message>"] {
            assert_eq!(of_stanza(nothing.as_bytes()), "", "{nothing}");
        }
        let long = format!("<message><body>{}</body></message>", "語".repeat(limits::TEXT_INDEXED));
        assert_eq!(of_stanza(long.as_bytes()).split(' ').count(), limits::TEXT_INDEXED / "語".len());
    }

    #[test]
    fn what_is_typed_is_no_syntax() {
        let found = |typed: &str, text: &str| Wanted::read(typed).expect("short").matches(&words(text));
        for (typed, text, expected) in [
            ("hel", "hello", true),
            ("he", "hello", false),
            ("\"hel\"", "hello", false),
            ("wor hel", "hello world", true),
            ("\"hello world\"", "hello wide world", false),
            ("“hello world”", "Hello, world", true),
            ("hello absent", "hello world", false),
            ("大学", "東京大学", true),
            ("学大", "東京大学", false),
            ("東学", "東京大学", false),
            ("국어", "한국어", true),
            ("iphone打", "用iPhone打字", true),
            ("👍", "good 👍🏿", true),
            ("foo OR bar", "foo", false),
            ("NOT foo", "not foo", true),
            ("words:foo*", "foo", false),
            ("foo*", "foobar", true),
            ("(((", "anything", true),
            ("a\"b", "a b", true),
        ] {
            assert_eq!(found(typed, text), expected, "{typed} in {text}");
        }
        assert!(Wanted::read("?! …").expect("short").is_empty());
        assert!(Wanted::read(&"x ".repeat(limits::TYPED_WORDS)).is_ok());
        assert!(Wanted::read(&"字".repeat(limits::TYPED_WORDS + 1)).is_err());
        assert!(Wanted::read(&"x".repeat(limits::TYPED_BYTES + 1)).is_err());
    }

    #[test]
    fn a_long_word_is_found_by_its_beginning() {
        let word = "x".repeat(1_000);
        assert_eq!(words(&word).len(), limits::WORD_CHARS);
        assert!(Wanted::read(&word).expect("short").matches(&words(&word)));
    }

    proptest! {
        #[test]
        fn words_are_settled_and_found(text in ".{0,60}") {
            let once = words(&text);
            prop_assert_eq!(words(&once), once.clone());
            // Whatever is typed, its expression has no quotes but those around phrases.
            let quoted = text.replace(['"', '“', '”', '„', '«', '»'], " ");
            if let Ok(wanted) = Wanted::read(&quoted) {
                prop_assert!(wanted.matches(&once), "{quoted:?}");
            }
        }
    }
}
