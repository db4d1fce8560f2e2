//! What a container must know of Opus: its head, and how long a packet is.

/// Samples in a second, whatever was recorded (RFC 7845 §4).
pub(super) const RATE: u64 = 48_000;

/// The longest packet: 120 ms (RFC 6716 §3.2.5, rule R5).
const LONGEST: u64 = RATE * 120 / 1_000;

/// Whether this is a head that everybody plays (RFC 7845 §5.1): version 1, one or two channels, mapping family 0.
pub(super) fn is_head(head: &[u8]) -> bool {
    matches!(head, [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', 1, 1 | 2, rest @ ..] if rest.len() == 9 && rest[8] == 0)
}

/// The samples of a packet (RFC 6716 §3.1, §3.2); `None` if it is none.
pub(super) fn samples(packet: &[u8]) -> Option<u64> {
    let toc = *packet.first()?;
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1_920, 2_880][usize::from(config % 4)],
        config @ 12..=15 => [480, 960][usize::from(config % 2)],
        config => [120, 240, 480, 960][usize::from(config % 4)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3f),
    };
    Some(frame * frames).filter(|samples| (1..=LONGEST).contains(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_tell_how_long_they_are() {
        let code = |config: u8, code: u8| config << 3 | code;
        for (packet, expected) in [
            (&[code(1, 0)][..], Some(960)),
            (&[code(3, 0), 9, 9], Some(2_880)),
            (&[code(3, 1), 9], Some(5_760)),
            (&[code(13, 2), 9], Some(1_920)),
            (&[code(16, 0)], Some(120)),
            (&[code(31, 3), 6], Some(5_760)),
            (&[code(31, 3), 0xc6], Some(5_760)),
            (&[code(31, 3), 7], None),
            (&[code(31, 3), 0], None),
            (&[code(31, 3)], None),
            (&[], None),
        ] {
            assert_eq!(samples(packet), expected, "{packet:?}");
        }
    }

    #[test]
    fn heads() {
        let head = |version, channels, family| {
            [b"OpusHead", &[version, channels, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, family][..]].concat()
        };
        assert!(is_head(&head(1, 1, 0)) && is_head(&head(1, 2, 0)));
        for other in
            [head(2, 1, 0), head(1, 0, 0), head(1, 3, 0), head(1, 2, 1), b"OpusHead".to_vec(), Vec::new()]
        {
            assert!(!is_head(&other), "{other:?}");
        }
    }
}
