//! What a stanza costs in allocations, and that an idle scanner holds none.

// The only way to count allocations.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rookery_proto::stanza::{Edit, Stanza};
use rookery_proto::xml::{Item, Limits, Scanner};

struct Counting;

thread_local! {
    /// Allocations of this thread, and its bytes that are not freed.
    static COUNTED: Cell<(usize, isize)> = const { Cell::new((0, 0)) };
}

fn count(allocations: usize, bytes: isize) {
    let (before, held) = COUNTED.get();
    COUNTED.set((before + allocations, held + bytes));
}

// SAFETY: all is left to the system's allocator; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as isize - layout.size() as isize);
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the work gave, its allocations, and the bytes it left allocated.
fn counted<T>(work: impl FnOnce() -> T) -> (T, usize, isize) {
    let before = COUNTED.get();
    let result = work();
    let after = COUNTED.get();
    (result, after.0 - before.0, after.1 - before.1)
}

fn opened() -> Scanner {
    let mut scanner = Scanner::new(Limits::authenticated());
    let header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    scanner.feed(&mut header.as_bytes()).expect("a good header");
    scanner
}

const MESSAGE: &[u8] =
    b"<message to='10002@example.org' type='chat' id='1'><body>Shall we meet at six?</body>\
    <origin-id xmlns='urn:xmpp:sid:0' id='1'/><request xmlns='urn:xmpp:receipts'/></message>";

fn next(scanner: &mut Scanner, mut bytes: &[u8]) -> Option<Stanza> {
    match scanner.feed(&mut bytes).expect("good") {
        Some(Item::Stanza(stanza)) => Some(stanza),
        _ => None,
    }
}

#[test]
fn a_stanza_is_two_allocations_and_its_rendering_one() {
    let mut scanner = opened();
    let (stanza, allocations, held) = counted(|| next(&mut scanner, MESSAGE).expect("whole"));
    assert_eq!(allocations, 2, "the bytes, and what was found in them");
    assert_eq!(held as usize, stanza.heap_size());
    assert!(stanza.heap_size() < MESSAGE.len() + 512);
    assert!(size_of::<Stanza>() <= 40, "cheap to move");

    let edit = Edit { set: &[("from", "10001@example.org/phone")], ..Edit::default() };
    let (_, allocations, _) = counted(|| stanza.render(&edit));
    assert_eq!(allocations, 1);
    let (_, allocations, _) =
        counted(|| (stanza.to().is_some(), stanza.has_child("urn:xmpp:receipts", "request")));
    assert_eq!(allocations, 0, "looking is free");
}

#[test]
fn an_idle_scanner_holds_nothing() {
    let mut scanner = opened();
    let (_, _, held) = counted(|| {
        let deep = "<a>".repeat(50) + &"</a>".repeat(50);
        for text in [
            deep.as_bytes(),
            b"<p:a xmlns:p='urn:1'><p:b xmlns:q='urn:2' xmlns:r='urn:3'/></p:a>",
            b" \n",
            MESSAGE,
        ] {
            for byte in text.chunks(1) {
                next(&mut scanner, byte);
            }
        }
    });
    assert_eq!((held, scanner.held()), (0, 0));
    let (_, _, held) = counted(|| next(&mut scanner, &MESSAGE[..100]));
    assert!((100..300).contains(&held), "a partial stanza costs about itself: {held}");
    assert!(size_of::<Scanner>() <= 1024, "{}", size_of::<Scanner>());
}

#[test]
fn single_bytes_cost_no_more_allocations_than_growing_a_buffer() {
    let mut scanner = opened();
    let body = "x".repeat(200_000);
    let text = format!("<message><body a='{}'>{body}</body></message>", &body[..8000]);
    let ((), allocations, _) =
        counted(|| text.as_bytes().chunks(1).for_each(|byte| drop(next(&mut scanner, byte))));
    assert!(allocations < 40, "{allocations}");
}
