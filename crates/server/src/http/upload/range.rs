//! RFC 9110 §14: a part of a file.

use crate::http::origin::single;
use axum::http::{HeaderMap, header};

/// What of a file is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// From the first of these bytes to the last, inclusive.
    Part(u64, u64),
    /// Bytes that it does not have.
    Nothing,
}

/// What the headers ask for of a file of `size` bytes that has this entity tag. Several ranges at once, and what is no range,
/// mean all of it (§14.2).
pub(super) fn wanted(headers: &HeaderMap, size: u64, etag: &str) -> Wanted {
    let same = match headers.get(header::IF_RANGE) {
        // §13.1.5: the parts that the client has are of another file.
        Some(tag) => tag.as_bytes() == etag.as_bytes(),
        None => true,
    };
    let range = single(headers, header::RANGE).filter(|_| same);
    range.and_then(|range| parse(range, size)).unwrap_or(Wanted::Whole)
}

fn parse(range: &str, size: u64) -> Option<Wanted> {
    let (first, last) = range.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number =
        |text: &str| Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?.parse::<u64>().ok();
    let (first, last) = match (first, last) {
        ("", last) => {
            let last = number(last)?;
            if last == 0 {
                return Some(Wanted::Nothing);
            }
            (size.saturating_sub(last), size.saturating_sub(1))
        }
        (first, "") => (number(first)?, u64::MAX),
        (first, last) => (number(first)?, number(last)?),
    };
    if first > last {
        return None;
    }
    Some(if first < size { Wanted::Part(first, last.min(size - 1)) } else { Wanted::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(size: u64, range: &'static str, tag: Option<&'static str>) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        tag.map(|tag| headers.insert(header::IF_RANGE, HeaderValue::from_static(tag)));
        wanted(&headers, size, "\"it\"")
    }

    #[test]
    fn single_ranges_are_understood() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0, 0)),
            ("bytes=2-5", Wanted::Part(2, 5)),
            ("bytes=2-", Wanted::Part(2, 9)),
            ("bytes=2-99", Wanted::Part(2, 9)),
            ("bytes=-3", Wanted::Part(7, 9)),
            ("bytes=-30", Wanted::Part(0, 9)),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=--1", Wanted::Whole),
            ("items=0-1", Wanted::Whole),
            ("bytes=0-99999999999999999999", Wanted::Whole),
        ] {
            assert_eq!(of(10, range, None), expected, "{range}");
        }
        assert_eq!(of(0, "bytes=0-", None), Wanted::Nothing);
        assert_eq!(of(0, "bytes=-5", None), Wanted::Nothing);
    }

    #[test]
    fn parts_of_another_file_are_not_asked_for() {
        assert_eq!(of(10, "bytes=2-5", Some("\"it\"")), Wanted::Part(2, 5));
        assert_eq!(of(10, "bytes=2-5", Some("\"other\"")), Wanted::Whole);
        assert_eq!(of(10, "bytes=2-5", Some("Sun, 22 Nov 2026 00:00:00 GMT")), Wanted::Whole);
    }
}
