//! The scanner against `rxml`, on the committed corpus and on seeded mutations of it.

mod oracle;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Mutants of one run; a few seconds without optimisation.
const MUTANTS: usize = 8_000;

/// Fragments that mutations put in: what has a meaning to a parser, or might have.
const FRAGMENTS: &[&str] = &[
    "<",
    ">",
    "/>",
    "</",
    "&",
    ";",
    "'",
    "\"",
    "=",
    " ",
    "\r",
    "\n",
    "\t",
    "\0",
    "\u{b}",
    ":",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?",
    "?>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "&amp;",
    "&lt;",
    "&#13;",
    "&#x41;",
    "&#0;",
    "&#xD800;",
    "&#x10FFFF;",
    "&#1114112;",
    "&nbsp;",
    "&#9;",
    " xmlns='urn:a'",
    " xmlns=''",
    " xmlns:p='urn:p'",
    " xmlns:q='urn:p'",
    " p:a='1'",
    " q:a='2'",
    " a='1'",
    " xml:lang='en'",
    " xmlns:xml='http://www.w3.org/XML/1998/namespace'",
    " xmlns:p='http://www.w3.org/2000/xmlns/'",
    " xmlns:p=''",
    " xmlns='jabber:client'",
    " xmlns='jabber:server'",
    "<p:x>",
    "</p:x>",
    "<x>",
    "</x>",
    "<x/>",
    "<xml:x/>",
    "<stream:x/>",
    "</stream:stream>",
    "<message/>",
    "\u{e9}",
    "\u{4e2d}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{1f600}",
    "\u{85}",
    "\u{b7}",
    "\u{37e}",
    "\u{feff}",
    "xmlns",
    "xml",
    "version",
    "encoding",
];

/// A small generator of numbers, so that a seed says everything.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/scanner");
    let entries =
        fs::read_dir(folder).expect("the corpus is committed").map(|entry| entry.expect("readable").path());
    let mut files: Vec<_> = entries
        .map(|path| {
            (
                path.file_name().expect("a file").to_string_lossy().into_owned(),
                fs::read(&path).expect("readable"),
            )
        })
        .collect();
    files.sort();
    files
}

fn mutate(random: &mut Random, corpus: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].1.clone();
    for _ in 0..1 + random.below(4) {
        // Rather behind the header than in it.
        let header = if random.below(8) == 0 { 0 } else { bytes.len().min(120) };
        let at = header + random.below(bytes.len() + 1 - header);
        let end = (at + random.below(24)).min(bytes.len());
        match random.below(6) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                drop(bytes.splice(to..to, copy));
            }
            2 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            3 => {
                let other = &corpus[random.below(corpus.len())].1;
                let from = random.below(other.len() + 1);
                let to = (from + random.below(60)).min(other.len());
                drop(bytes.splice(at..at, other[from..to].iter().copied()));
            }
            _ => {
                let fragment = FRAGMENTS[random.below(FRAGMENTS.len())];
                drop(bytes.splice(at..at, fragment.bytes()));
            }
        }
    }
    bytes
}

#[test]
fn the_corpus_is_read_as_rxml_reads_it() {
    let corpus = corpus();
    assert!(corpus.len() > 30, "the corpus is there");
    for (name, bytes) in corpus {
        catch_unwind(|| oracle::check(&bytes)).unwrap_or_else(|_| panic!("{name}"));
    }
}

#[test]
fn mutations_are_read_as_rxml_reads_them() {
    let corpus = corpus();
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(6120);
    let mutants = std::env::var("MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(MUTANTS);
    let mut random = Random(seed);
    for _ in 0..mutants {
        let mutant = mutate(&mut random, &corpus);
        let shown = AssertUnwindSafe(&mutant);
        catch_unwind(|| oracle::check(&shown))
            .unwrap_or_else(|_| panic!("seed {seed}: {}", mutant.escape_ascii()));
    }
}
