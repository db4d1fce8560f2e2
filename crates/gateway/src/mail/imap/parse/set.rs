//! Sets of numbers (RFC 9051 §9, `sequence-set`).

use super::{Bad, Cursor};
use crate::mail::imap::limits;
use std::ops::Range;

/// Mails, by their places in a folder or by their UIDs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::mail::imap) enum Set {
    /// Ranges, both ends belonging to them; 0 is the largest that there is (`*`).
    Ranges(Vec<(u32, u32)>),
    /// What was found last (RFC 9051 §6.4.4.1).
    Saved,
}

impl Set {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Set, Bad> {
        if cursor.eat(b'$') {
            return Ok(Set::Saved);
        }
        let mut ranges = Vec::new();
        loop {
            if ranges.len() == limits::RANGES {
                return Err(Bad("This set is too long"));
            }
            let from = end(cursor)?;
            let to = if cursor.eat(b':') { end(cursor)? } else { from };
            ranges.push((from, to));
            if !cursor.eat(b',') {
                return Ok(Set::Ranges(ranges));
            }
        }
    }

    /// The places among `uids`, ascending and without gaps inside of a range; none of them twice. `None`: by their places, and
    /// there is no such place (RFC 9051 §9, `seq-number`).
    pub(in crate::mail::imap) fn places(
        &self,
        uids: &[u32],
        saved: &[u32],
        by_uid: bool,
    ) -> Option<Vec<Range<usize>>> {
        let ranges = match self {
            Set::Ranges(ranges) => ranges,
            Set::Saved => {
                let places = saved.iter().filter_map(|uid| uids.binary_search(uid).ok());
                return Some(joined(places.map(|place| place..place + 1)));
            }
        };
        let mut places = Vec::with_capacity(ranges.len());
        for &(from, to) in ranges {
            let largest = if by_uid { uids.last().copied().unwrap_or(0) } else { uids.len() as u32 };
            let number = |number: u32| if number == 0 { largest } else { number };
            let (from, to) = (number(from).min(number(to)), number(from).max(number(to)));
            places.push(match by_uid {
                true => uids.partition_point(|uid| *uid < from)..uids.partition_point(|uid| *uid <= to),
                false if from == 0 || to as usize > uids.len() => return None,
                false => from as usize - 1..to as usize,
            });
        }
        places.sort_unstable_by_key(|range| range.start);
        Some(joined(places.into_iter()))
    }
}

fn end(cursor: &mut Cursor<'_>) -> Result<u32, Bad> {
    if cursor.eat(b'*') {
        return Ok(0);
    }
    match cursor.number32()? {
        0 => Err(Bad("Numbers begin at 1")),
        number => Ok(number),
    }
}

/// Ranges in their order, those that touch as one.
fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in ranges.filter(|range| !range.is_empty()) {
        match all.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}

/// Ascending numbers as a set is written.
pub(in crate::mail::imap) fn written(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut out = String::new();
    let mut numbers = numbers.into_iter().peekable();
    while let Some(from) = numbers.next() {
        let mut to = from;
        while let Some(next) = numbers.next_if(|next| to.checked_add(1) == Some(*next)) {
            to = next;
        }
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&from.to_string());
        if to > from {
            out.push(':');
            out.push_str(&to.to_string());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and last place of each range.
    fn places(set: &str, by_uid: bool) -> Option<Vec<(usize, usize)>> {
        let mut cursor = Cursor::new(set.as_bytes());
        let set = Set::parse(&mut cursor).expect("a set");
        cursor.end().expect("nothing follows");
        let places = set.places(&[2, 3, 5, 9], &[3, 4, 5], by_uid)?;
        Some(places.into_iter().map(|range| (range.start, range.end - 1)).collect())
    }

    #[test]
    fn sets_name_places() {
        assert_eq!(places("1:*", false), Some(vec![(0, 3)]));
        assert_eq!(places("4,1:2,2:3", false), Some(vec![(0, 3)]));
        assert_eq!(places("*:3", false), Some(vec![(2, 3)]));
        assert_eq!(places("1:5", false), None);
        assert_eq!(places("3:6", true), Some(vec![(1, 2)]));
        // RFC 9051 §6.4.9: 559:* names the last mail, also where its UID is smaller.
        assert_eq!(places("559:*", true), Some(vec![(3, 3)]));
        assert_eq!(places("1,4,7", true), Some(vec![]));
        assert_eq!(places("1:4294967295", true), Some(vec![(0, 3)]));
        assert_eq!(places("$", false), Some(vec![(1, 2)]));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for bad in ["", "0", "1:", "a", ",1", "4294967296", "1,,2", "-1"] {
            let mut cursor = Cursor::new(bad.as_bytes());
            assert!(Set::parse(&mut cursor).and_then(|_| cursor.end()).is_err(), "{bad}");
        }
        let long = vec!["1"; limits::RANGES + 1].join(",");
        assert!(Set::parse(&mut Cursor::new(long.as_bytes())).is_err());
    }

    #[test]
    fn sets_are_written_short() {
        assert_eq!(written([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(written([u32::MAX]), "4294967295");
        assert_eq!(written([]), "");
    }
}
