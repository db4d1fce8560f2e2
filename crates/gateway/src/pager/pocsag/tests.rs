//! What is sent is read again by a receiver that knows nothing of how it was made.

use super::*;
use proptest::prelude::*;

/// A page as it is heard: the address, the sub-address, and the bits that follow.
type Heard = (u32, u32, Vec<bool>);

/// Reads a transmission bit by bit, as the standard says it; everything must be where it belongs.
fn hear(words: &[u32]) -> Vec<Heard> {
    let bits: Vec<bool> = bits(words).collect();
    let (preamble, rest) = bits.split_at(576);
    assert!(preamble.iter().enumerate().all(|(at, bit)| *bit == (at % 2 == 0)));
    let number = |bits: &[bool]| bits.iter().fold(0u32, |number, bit| number << 1 | u32::from(*bit));
    let mut heard: Vec<Heard> = Vec::new();
    let mut open = false;
    for batch in rest.chunks(17 * 32) {
        assert_eq!(number(&batch[..32]), 0x7CD2_15D8);
        for (at, bits) in batch[32..].chunks(32).enumerate() {
            let word = number(bits);
            assert_eq!(word.count_ones() % 2, 0, "parity");
            assert_eq!(remainder(word >> 1), 0, "BCH");
            match (word == 0x7A89_C197, bits[0]) {
                (true, _) => open = false,
                (_, true) => {
                    assert!(open, "a message without an address");
                    heard.last_mut().unwrap().2.extend_from_slice(&bits[1..21]);
                }
                (_, false) => {
                    heard.push((
                        (number(&bits[1..19]) << 3) | (at as u32 / 2),
                        number(&bits[19..21]),
                        Vec::new(),
                    ));
                    open = true;
                }
            }
        }
    }
    assert!(!open, "the last page has an end");
    heard
}

/// Of a division by the generator, as a shift register does it.
fn remainder(word: u32) -> u32 {
    (0..31).rev().fold(0u32, |register, bit| {
        let register = register << 1 | (word >> bit & 1);
        if register & 0x400 != 0 { register ^ 0x769 } else { register }
    })
}

fn read(bits: &[bool], width: usize) -> Vec<u8> {
    let sign = |bits: &[bool]| bits.iter().rev().fold(0, |sign, bit| sign << 1 | u8::from(*bit));
    bits.chunks_exact(width).map(sign).collect()
}

fn text(bits: &[bool]) -> String {
    let mut text = String::from_utf8(read(bits, 7)).unwrap();
    text.truncate(text.trim_end().len());
    text
}

fn page(ric: u32, content: Content) -> Page {
    Page { ric: Ric::new(ric).unwrap(), function: Function::D, content, length: 80, times: 1 }
}

fn words(text: &str) -> Content {
    Content::Text(text.to_owned(), Alphabet::International)
}

#[test]
fn addresses_have_bounds() {
    assert!(Ric::new(7).is_none() && Ric::new(8).is_some());
    assert!(Ric::new((1 << 21) - 1).is_some() && Ric::new(1 << 21).is_none());
    assert!(Ric::new(2_007_663).is_some() && Ric::new(2_007_664).is_none() && Ric::new(2_007_671).is_none());
    assert!(Rate::new(1200).is_some() && Rate::new(1201).is_none());
}

#[test]
fn nothing_is_a_whole_batch_too() {
    assert!(hear(&transmission(&[]).0).is_empty());
}

#[test]
fn each_page_stands_in_the_frame_of_its_pager() {
    let pages: Vec<Page> = (0..8).map(|frame| page(1_234_560 + frame, words("Hello"))).collect();
    let heard = hear(&transmission(&pages).0);
    let mut rics: Vec<u32> = heard.iter().map(|page| page.0).collect();
    rics.sort();
    assert_eq!(rics, (1_234_560..1_234_568).collect::<Vec<_>>());
    assert!(heard.iter().all(|page| page.1 == 3 && text(&page.2) == "Hello"));
}

#[test]
fn what_is_repeated_comes_after_everything_else() {
    let twice = Page { times: 2, ..page(8, words("one")) };
    let heard = hear(&transmission(&[twice, page(8, words("two"))]).0);
    assert_eq!(heard.iter().map(|page| text(&page.2)).collect::<Vec<_>>(), ["one", "two", "one"]);
}

#[test]
fn a_transmission_ends_somewhere() {
    let pages = vec![Page { times: 3, ..page(9, Content::Tone) }; PAGES];
    let (words, taken) = transmission(&pages);
    assert_eq!((taken, hear(&words).len()), (PAGES / 3, PAGES / 3 * 3));
}

/// A page of any kind.
fn any_page() -> impl Strategy<Value = Page> {
    let content = prop_oneof![
        Just(Content::Tone),
        "[0-9U* ()-]{1,30}".prop_map(Content::Numeric),
        "[ -~]{1,200}".prop_map(|text| words(&text)),
        "\\PC{0,100}".prop_map(|text| Content::Text(text, Alphabet::German)),
    ];
    let function = prop_oneof![Just(Function::A), Just(Function::B), Just(Function::C), Just(Function::D)];
    let ric = (8u32..1 << 21).prop_filter_map("no address", Ric::new);
    (ric, content, function, 0usize..120, 0u8..4).prop_map(|(ric, content, function, length, times)| Page {
        ric,
        function,
        content,
        length,
        times,
    })
}

proptest! {
    /// Everything that is sent is heard as often as it should be, in order for each pager, and nothing else.
    #[test]
    fn what_is_sent_is_heard(pages in proptest::collection::vec(any_page(), 0..20)) {
        let heard = hear(&transmission(&pages).0);
        let calls = |page: &Page| calls(page).len() * usize::from(page.times.max(1));
        prop_assert_eq!(heard.len(), pages.iter().map(calls).sum::<usize>());
        for sent in &pages {
            let there = |heard: &&Heard| heard.0 == sent.ric.get() && heard.1 == sent.function as u32;
            let bits: Vec<&[bool]> = heard.iter().filter(there).map(|page| page.2.as_slice()).collect();
            for call in super::calls(sent) {
                let count = bits.iter().filter(|bits| bits.len() == (call.len() - 1) * 20).count();
                prop_assert!(count >= usize::from(sent.times.max(1)));
            }
        }
    }

    #[test]
    fn texts_and_digits_come_through(said in "[ -~]{1,80}", digits in "[0-9]{1,40}") {
        let numeric = Page { function: Function::A, ..page(2_007_663, Content::Numeric(digits.clone())) };
        let heard = hear(&transmission(&[page(1_234_567, words(&said)), numeric]).0);
        prop_assert_eq!(heard.len(), 2);
        let alpha = heard.iter().find(|page| page.0 == 1_234_567).unwrap();
        let numeric = heard.iter().find(|page| page.0 == 2_007_663).unwrap();
        prop_assert_eq!(text(&alpha.2), said.trim_end());
        let shown: String = read(&numeric.2, 4).into_iter().take(digits.len()).map(|digit| char::from(b'0' + digit)).collect();
        prop_assert_eq!(shown, digits);
    }
}
