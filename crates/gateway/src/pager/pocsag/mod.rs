//! POCSAG (ITU-R M.584-2, "Radiopaging code No. 1"): pages as the bits that a transmitter sends, and as sound for one that takes
//! them at its audio input. Nothing here knows of devices, files or time.

pub mod code;
mod sound;
mod text;

pub use sound::{SAMPLE_RATE, samples, wav};
pub use text::{PARTS, SHORTEST};

use std::collections::VecDeque;

/// Bits of the preamble, alternately 1 and 0: receivers wake up for it (at least 576).
const PREAMBLE_WORDS: usize = 18;
/// What the preamble consists of.
const PREAMBLE: u32 = 0xAAAA_AAAA;
/// Code words of a batch, without the one that synchronises.
const BATCH: usize = 16;
/// Code words of a frame: eight frames make a batch.
const FRAME: usize = 2;

/// Pages of one transmission: a transmitter that sends for longer keeps its channel from everybody else.
pub const PAGES: usize = 500;

/// A pager's address (radio identity code): 21 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ric(u32);

impl Ric {
    /// `None`: no pager can have this address. With 0 to 7 a code word would be nothing but zeros, which is what a receiver hears
    /// when there is nothing to hear; and those that begin as the idle word and the one that synchronises would be these words.
    pub fn new(ric: u32) -> Option<Ric> {
        let reserved = [code::IDLE, code::SYNC].iter().any(|word| ric >> 3 == word >> 13);
        ((8..1 << 21).contains(&ric) && !reserved).then_some(Ric(ric))
    }

    /// As a number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The frame in which its pager listens.
    fn frame(self) -> usize {
        (self.0 & 7) as usize
    }
}

/// The two function bits: sub-addresses A to D, which pagers tell apart by tone, or by how they read what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    /// Numeric, by custom.
    A,
    /// A tone, by custom.
    B,
    /// Another.
    C,
    /// Alphanumeric, by custom.
    D,
}

/// Bits in a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rate {
    /// 512
    Bps512,
    /// 1200
    Bps1200,
    /// 2400
    Bps2400,
}

impl Rate {
    /// As a number; `None`: no pager knows it.
    pub fn new(bits: u32) -> Option<Rate> {
        [Rate::Bps512, Rate::Bps1200, Rate::Bps2400].into_iter().find(|rate| rate.bits() == bits)
    }

    /// Bits in a second.
    pub fn bits(self) -> u32 {
        match self {
            Rate::Bps512 => 512,
            Rate::Bps1200 => 1200,
            Rate::Bps2400 => 2400,
        }
    }
}

/// What the codes of brackets mean to a pager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alphabet {
    /// ASCII.
    International,
    /// DIN 66003: letters of German in place of brackets.
    German,
}

/// What a page says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Nothing: the pager sounds.
    Tone,
    /// For pagers that show digits.
    Numeric(String),
    /// For pagers that show texts.
    Text(String, Alphabet),
}

/// A page to one pager.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Which pager.
    pub ric: Ric,
    /// Its sub-address.
    pub function: Function,
    /// What it says.
    pub content: Content,
    /// The most signs that its display takes at a time: longer texts come as several pages.
    pub length: usize,
    /// How often it is sent: a pager that hears it twice shows it once, and noise seldom hits both.
    pub times: u8,
}

/// A page with its parts as code words, the first of them the address.
fn calls(page: &Page) -> Vec<Vec<u32>> {
    let parts: Vec<Vec<u32>> = match &page.content {
        Content::Tone => vec![Vec::new()],
        Content::Numeric(text) => {
            text::runs(&text::digits(text), page.length).iter().map(|run| text::numeric(run)).collect()
        }
        Content::Text(text, alphabet) => {
            let letters = text::letters(text, *alphabet);
            text::parts(&letters, page.length).iter().map(|part| text::alphanumeric(part)).collect()
        }
    };
    let address = code::address(page.ric, page.function);
    let call = |groups: Vec<u32>| {
        std::iter::once(address).chain(groups.into_iter().map(code::message)).collect::<Vec<u32>>()
    };
    parts.into_iter().map(call).collect()
}

/// The code words of one transmission: preamble, and batches with each page in the frame of its pager. Pages to one pager keep
/// their order, and what is repeated comes again after everything else. At most [`PAGES`] pages are sent, each time that one is
/// sent counted; returns how many of `pages` are in it (the rest is for the next transmission).
pub fn transmission(pages: &[Page]) -> (Vec<u32>, usize) {
    let mut sent = 0;
    let fits = |page: &&Page| {
        sent += usize::from(page.times.max(1));
        sent <= PAGES
    };
    let pages: Vec<&Page> = pages.iter().take_while(fits).collect();
    let rounds = pages.iter().map(|page| page.times.max(1)).max().unwrap_or(0);
    let mut words = Vec::new();
    for round in 0..rounds {
        let again = pages.iter().filter(|page| round < page.times.max(1));
        let waiting = again.flat_map(|page| calls(page).into_iter().map(|call| (page.ric.frame(), call)));
        place(&mut words, waiting.collect());
    }
    // The last page ends where an idle word says so, and a batch is always whole.
    words.push(code::IDLE);
    words.resize(words.len().next_multiple_of(BATCH), code::IDLE);
    let batches =
        words.chunks(BATCH).flat_map(|batch| std::iter::once(code::SYNC).chain(batch.iter().copied()));
    (std::iter::repeat_n(PREAMBLE, PREAMBLE_WORDS).chain(batches).collect(), pages.len())
}

/// Puts calls behind `words`: whichever can begin soonest is next, idle words are in between.
fn place(words: &mut Vec<u32>, mut waiting: VecDeque<(usize, Vec<u32>)>) {
    let wait = |at: usize, frame: usize| {
        let begin = frame * FRAME;
        let place = at % BATCH;
        if place / FRAME == frame { 0 } else { (begin + BATCH - place) % BATCH }
    };
    while let Some(next) = (0..waiting.len()).min_by_key(|at| wait(words.len(), waiting[*at].0))
        && let Some((frame, call)) = waiting.remove(next)
    {
        words.resize(words.len() + wait(words.len(), frame), code::IDLE);
        words.extend(call);
    }
}

/// The bits of code words in the order in which they are sent.
pub fn bits(words: &[u32]) -> impl Iterator<Item = bool> {
    words.iter().flat_map(|word| (0..32).rev().map(move |bit| word >> bit & 1 == 1))
}

#[cfg(test)]
mod tests;
