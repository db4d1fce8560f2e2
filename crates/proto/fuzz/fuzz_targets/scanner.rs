//! `cargo +nightly fuzz run scanner`, in `crates/proto`: the scanner against rxml, by the same check as the mutation test.

#![no_main]

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|stream: &[u8]| oracle::check(stream));
