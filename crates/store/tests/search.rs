//! The full-text search against a scan of the whole archive: whatever is done, both find the same.

mod common;

use bytes::Bytes;
use common::*;
use proptest::prelude::*;
use rookery_proto::{Uid, Useq};
use rookery_store::{Flags, Origin, Page, PageQuery, Policy, Store, SweepCursor, Timestamp, Window};

const DAY: i64 = 86_400_000;
const USERS: u64 = 3;

/// Words of several scripts, of which some are parts of others.
const WORDS: [&str; 8] = ["hello", "help", "hel", "東京", "京都", "서울", "🎉", "שלום"];

#[derive(Clone, Debug)]
enum Step {
    Say { from: u64, to: u64, words: Vec<usize>, name: u8, archive: bool, encrypted: bool, group: bool },
    Retract { from: u64, to: u64, name: u8 },
    Drop { uid: u64, back: u64 },
    Sweep { days: u32 },
    Index,
    Lose,
    Reopen,
    Search { uid: u64, typed: Typed, with: Option<u64>, groups: bool, window: Window, max: usize },
}

/// What is looked for: an index into [`WORDS`] each.
#[derive(Clone, Debug)]
struct Typed {
    words: Vec<usize>,
    quoted: bool,
}

fn uid() -> impl Strategy<Value = u64> {
    1..=USERS
}

fn words(most: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..WORDS.len(), 1..=most)
}

fn step() -> impl Strategy<Value = Step> {
    let kind = (prop::bool::weighted(0.9), prop::bool::weighted(0.1), prop::bool::weighted(0.2));
    let typed = (words(2), any::<bool>()).prop_map(|(words, quoted)| Typed { words, quoted });
    let window = prop_oneof![
        Just(Window::First),
        Just(Window::Last),
        (1_u64..20).prop_map(|id| Window::After(Useq(id))),
        (1_u64..20).prop_map(|id| Window::Before(Useq(id))),
        (0_u64..3).prop_map(Window::Index),
    ];
    prop_oneof![
        10 => (uid(), uid(), words(4), 0_u8..4, kind).prop_map(
            |(from, to, words, name, (archive, encrypted, group))| {
                Step::Say { from, to, words, name, archive, encrypted, group }
            }
        ),
        2 => (uid(), uid(), 0_u8..4).prop_map(|(from, to, name)| Step::Retract { from, to, name }),
        3 => (uid(), 0_u64..3).prop_map(|(uid, back)| Step::Drop { uid, back }),
        1 => (0_u32..4).prop_map(|days| Step::Sweep { days }),
        3 => Just(Step::Index),
        1 => Just(Step::Lose),
        1 => Just(Step::Reopen),
        10 => (uid(), typed, prop::option::of(uid()), any::<bool>(), window, 0_usize..4).prop_map(
            |(uid, typed, with, groups, window, max)| Step::Search { uid, typed, with, groups, window, max }
        ),
    ]
}

/// Whether a text, given by its words, has what is looked for.
fn has(said: &[usize], typed: &Typed) -> bool {
    let begins = |said: &str, word: &str| said == word || (word.is_ascii() && said.starts_with(word));
    if typed.quoted {
        return said.windows(typed.words.len()).any(|window| window == typed.words);
    }
    typed.words.iter().all(|&word| said.iter().any(|&said| begins(WORDS[said], WORDS[word])))
}

/// The words of a body as this test writes them.
fn said(stanza: &Bytes) -> Option<Vec<usize>> {
    let text = std::str::from_utf8(stanza).ok()?;
    let body = text.strip_prefix("<message><body>")?.strip_suffix("</body></message>")?;
    Some(
        body.split(", ").map(|word| WORDS.iter().position(|known| *known == word).expect("a word")).collect(),
    )
}

async fn whole(store: &Store, uid: u64, query: PageQuery) -> Page {
    let query = PageQuery { max: 256, ..query };
    store.page(Uid(uid), query).await.unwrap().expect("no ids are named")
}

async fn perform(f: &mut Fixture, number: i64, step: Step) {
    match step {
        Step::Say { from, to, words, name, archive, encrypted, group } => {
            let text: Vec<_> = words.iter().map(|word| WORDS[*word]).collect();
            let mut what = message(Uid(from), Uid(to), "", number * DAY / 8);
            what.stanza = format!("<message><body>{}</body></message>", text.join(", ")).into();
            what.flags = Flags::DELIVER;
            for (wanted, flag) in
                [(archive, Flags::ARCHIVE), (encrypted, Flags::ENCRYPTED), (group, Flags::GROUP)]
            {
                what.flags = what.flags | if wanted { flag } else { Flags::default() };
            }
            // To oneself there is one entry, as core has it.
            if from == to {
                what.pointers.remove(0);
            }
            what.origin = Some(origin(from, to, name));
            append(&f.store, what).await.unwrap();
        }
        Step::Retract { from, to, name } => {
            f.store.retract(origin(from, to, name), Bytes::from_static(b"<message/>")).await.unwrap();
        }
        Step::Drop { uid, back } => {
            // Often the last, so that numbers are given again.
            let head = f.store.head(Uid(uid)).await.unwrap().head.0;
            for uid in 1..=USERS {
                f.store.drop_pointers(Uid(uid), vec![Useq(head.saturating_sub(back))]).await.unwrap();
            }
        }
        Step::Sweep { days } => {
            let mut from = Some(SweepCursor::default());
            while let Some(cursor) = from {
                let policy = Policy { days: Some(days), ..Policy::default() };
                from = f.store.sweep(Timestamp(number * DAY / 8), policy, cursor).await.unwrap().next;
            }
        }
        Step::Index => drop(f.store.index().await.unwrap()),
        Step::Lose => f.store.drop_index().await.unwrap(),
        Step::Reopen => f.reopen().await,
        Step::Search { uid, typed, with, groups, window, max } => {
            search(&f.store, uid, typed, with, groups, window, max).await;
        }
    }
}

fn origin(from: u64, to: u64, name: u8) -> Origin {
    Origin { sender: Uid(from), peer: address(Uid(to)), id: name.to_string().into(), dedup: false }
}

async fn search(
    store: &Store,
    uid: u64,
    typed: Typed,
    with: Option<u64>,
    groups: bool,
    window: Window,
    max: usize,
) {
    let all = PageQuery { with: with.map(|with| address(Uid(with))), groups, ..PageQuery::default() };
    let archived = whole(store, uid, all.clone()).await;
    let expected: Vec<Useq> = archived
        .entries
        .iter()
        .filter(|entry| !entry.flags.has(Flags::ENCRYPTED))
        .filter(|entry| said(&entry.stanza).is_some_and(|said| has(&said, &typed)))
        .map(|entry| entry.useq)
        .collect();
    let text: Vec<_> = typed.words.iter().map(|word| WORDS[*word]).collect();
    let text = if typed.quoted { format!("\"{}\"", text.join(" ")) } else { text.join(" ") };
    let query = PageQuery { text: Some(text.into()), window, max, ..all };
    let Some(page) = store.page(Uid(uid), query).await.unwrap() else {
        // The id that the window begins at is not in the archive.
        let (Window::After(id) | Window::Before(id)) = window else { panic!("no id was named") };
        let whole = whole(store, uid, PageQuery { groups: true, ..PageQuery::default() }).await;
        assert!(whole.entries.iter().all(|entry| entry.useq != id));
        return;
    };
    let part: Vec<Useq> = match window {
        Window::First | Window::Last => expected.clone(),
        Window::After(id) => expected.iter().copied().filter(|found| *found > id).collect(),
        Window::Before(id) => expected.iter().copied().filter(|found| *found < id).collect(),
        Window::Index(index) => expected.iter().copied().skip(index as usize).collect(),
    };
    let backward = matches!(window, Window::Last | Window::Before(_));
    let from = if backward { part.len().saturating_sub(max) } else { 0 };
    let found: Vec<Useq> = page.entries.iter().map(|entry| entry.useq).collect();
    assert_eq!(found, part[from..].iter().copied().take(max).collect::<Vec<_>>(), "{typed:?}");
    assert_eq!((page.count, page.complete), (Some(expected.len() as u64), part.len() <= max));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_a_scan_finds(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut f = sqlite().await;
            // No power is cut here.
            f.options.synchronous_off = true;
            f.reopen().await;
            for (number, step) in (1..).zip(steps) {
                perform(&mut f, number, step).await;
            }
            for uid in 1..=USERS {
                for word in 0..WORDS.len() {
                    let typed = Typed { words: vec![word], quoted: true };
                    search(&f.store, uid, typed, None, true, Window::First, 256).await;
                }
            }
        });
    }
}
