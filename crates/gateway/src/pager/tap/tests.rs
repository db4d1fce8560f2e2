use super::client::{Caller, Next};
use super::session::{Act, Session, Taken};
use super::*;
use crate::pager::limits;
use proptest::prelude::*;

/// The example of the standard's appendix.
#[test]
fn the_published_sum_comes_out() {
    assert_eq!(checksum(b"\x02123\rABC\r\x03"), *b"17;");
    assert_eq!(blocks("123", b"ABC"), [b"\x02123\rABC\r\x0317;\r".to_vec()]);
    // Parity says nothing.
    assert_eq!(checksum(&b"\x02123\rABC\r\x03".map(|byte| byte | 0x80)), *b"17;");
}

#[test]
fn long_pages_have_blocks() {
    let text = [b'x'; 600];
    let blocks = blocks("123", &text);
    assert_eq!(blocks.len(), 3);
    assert!(blocks.iter().all(|block| block.len() <= BLOCK && block[0] == STX));
    assert_eq!((blocks[0][blocks[0].len() - 5], blocks[2][blocks[2].len() - 5]), (ETB, ETX));
    let most = super::blocks("123", &[b'x'; limits::TEXT]);
    assert!(most.last().is_some_and(|block| block.contains(&ETX)), "the longest text fits");
}

/// Pages that came: their pagers and texts.
type Pages = Vec<(Vec<u8>, Vec<u8>)>;

/// Says bytes to a terminal that takes pages to 123; what it says.
fn terminal(session: &mut Session, bytes: &[u8], pages: &mut Pages) -> Vec<u8> {
    let mut heard = Vec::new();
    for byte in bytes {
        let act = match session.byte(*byte) {
            Act::Page { id, text } => {
                let taken = if id == b"123" { Taken::Stored } else { Taken::Refused };
                pages.push((id, text));
                session.taken(taken)
            }
            act => act,
        };
        match act {
            Act::Say(text) | Act::End(text) => heard.extend(text),
            Act::Listen => {}
            Act::Page { .. } => unreachable!("a page is taken once"),
        }
    }
    heard
}

/// The conversation of the standard, with a block that was hurt on its way.
#[test]
fn a_conversation() {
    let (mut session, mut pages) = (Session::new(), Vec::new());
    let mut say = |bytes: &[u8]| String::from_utf8(terminal(&mut session, bytes, &mut pages)).unwrap();
    assert_eq!(say(b"\r"), "ID=");
    assert_eq!(say(b"\x1bPG2\r"), "509 This is no sign-in\r\x15\rID=");
    assert_eq!(say(b"\x1bPG1\r"), "110 Paging\r\x06\r\x1b[p\r");
    assert_eq!(say(b"\x02123\rABD\r\x0317;\r"), "511 The sum is wrong\r\x15\r");
    assert_eq!(say(b"\x02123\rABC\r\x0317;\r"), "211 Page accepted\r\x06\r");
    assert_eq!(say(&blocks("124", b"ABC")[0]), "510 No such pager\r\x1e\r");
    assert_eq!(say(b"\x04"), "115 Goodbye\r\x1b\x04\r");
    assert_eq!(pages, [(b"123".to_vec(), b"ABC".to_vec()), (b"124".to_vec(), b"ABC".to_vec())]);
}

/// Lets a caller and a terminal speak to each other to the end; `line` may change what travels to the terminal.
fn call(mut caller: Caller, mut line: impl FnMut(Vec<u8>) -> Vec<u8>) -> (Next, Pages) {
    let (mut session, mut pages) = (Session::new(), Vec::new());
    let mut on_the_way = caller.begin();
    for _ in 0..200 {
        let heard = terminal(&mut session, &line(std::mem::take(&mut on_the_way)), &mut pages);
        let mut silent = true;
        for byte in heard {
            match caller.byte(byte) {
                Next::Wait => {}
                Next::Send(bytes) => {
                    silent = false;
                    on_the_way.extend(bytes);
                }
                end => return (end, pages),
            }
        }
        if silent {
            match caller.silence() {
                Next::Send(bytes) => on_the_way.extend(bytes),
                end => return (end, pages),
            }
        }
    }
    panic!("it does not end")
}

#[test]
fn both_sides_understand_each_other() {
    let text = "Bring two litres. ".repeat(60);
    let (end, pages) = call(Caller::new("123", &text, ""), |bytes| bytes);
    assert_eq!(end, Next::Taken(vec![EOT, CR]));
    assert_eq!(pages, [(b"123".to_vec(), text.into_bytes())]);
    let (end, _) = call(Caller::new("9", "x", ""), |bytes| bytes);
    assert_eq!(end, Next::Refused("The terminal does not take the page: 510 No such pager.".into()));
}

/// Each block is hurt once: each is sent again, and the page comes once.
#[test]
fn what_is_hurt_on_the_way_is_sent_again() {
    let mut hurt = 0;
    let (end, pages) = call(Caller::new("123", &"x".repeat(600), ""), |mut bytes| {
        if bytes.first() == Some(&STX) {
            hurt += 1;
            if hurt % 2 == 1 {
                bytes[1] ^= 1;
            }
        }
        bytes
    });
    assert_eq!((end, pages.len(), hurt), (Next::Taken(vec![EOT, CR]), 1, 6));
    let (end, pages) = call(Caller::new("123", "x", ""), |mut bytes| {
        bytes.iter_mut().skip(1).filter(|byte| **byte == b'2').for_each(|byte| *byte = b'3');
        bytes
    });
    assert_eq!((end, pages.len()), (Next::Failed("The line is too bad: no block gets through.".into()), 0));
}

#[test]
fn silence_is_told_apart() {
    let mut caller = Caller::new("123", "x", "");
    caller.begin();
    for _ in 0..3 {
        assert_eq!(caller.silence(), Next::Send(vec![CR]));
    }
    assert!(matches!(caller.silence(), Next::Failed(_)));
    // The answer to the last block is lost: it may have been taken.
    let mut caller = Caller::new("123", "x", "");
    for byte in b"ID=110\r\x06\r\x1b[p\r" {
        caller.byte(*byte);
    }
    assert!(matches!(caller.gone(), Next::Unknown(_)) && matches!(caller.silence(), Next::Unknown(_)));
}

proptest! {
    #[test]
    fn fields_come_back(id in "[0-9]{1,10}", text in proptest::collection::vec(0u8..0x7F, 0..800)) {
        let blocks = blocks(&id, &text);
        let (mut session, mut pages) = (Session::new(), Vec::new());
        terminal(&mut session, b"\r\x1bPG1\r", &mut pages);
        for block in blocks {
            terminal(&mut session, &block, &mut pages);
        }
        prop_assert_eq!(pages, vec![(id.into_bytes(), text)]);
    }

    /// Whatever comes, both sides stay bounded and nothing panics.
    #[test]
    fn anything_may_come(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(STX), Just(CR), Just(ETX), Just(ACK), Just(ESC)], 0..2000)) {
        let mut pages = Vec::new();
        terminal(&mut Session::new(), &bytes, &mut pages);
        let mut open = Session::new();
        terminal(&mut open, b"\r\x1bPG1\r", &mut pages);
        terminal(&mut open, &bytes, &mut pages);
        prop_assert!(pages.iter().all(|(id, text)| id.len() + text.len() <= limits::TEXT * 2));
        let mut caller = Caller::new("123", "x", "");
        for byte in bytes {
            if !matches!(caller.byte(byte), Next::Wait | Next::Send(_)) {
                break;
            }
        }
    }
}
