use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as a client sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        n @ 0..126 => bytes.push(MASKED | n as u8),
        n @ 126..0x1_0000 => {
            bytes.push(MASKED | 126);
            bytes.extend((n as u16).to_be_bytes());
        }
        n => {
            bytes.push(MASKED | 127);
            bytes.extend((n as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Everything that comes of these bytes, fed in portions of this size.
fn decode(bytes: &[u8], portion: usize, max: usize) -> Result<Vec<Frame>, FrameError> {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for mut input in bytes.chunks(portion) {
        while let Some(frame) = decoder.feed(&mut input, max)? {
            frames.push(frame);
        }
        assert!(input.is_empty());
    }
    Ok(frames)
}

#[test]
fn the_key_is_answered_as_the_standard_shows() {
    // RFC 6455 §1.3
    assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn a_masked_text_is_read_as_the_standard_shows() {
    // RFC 6455 §5.7
    let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(decode(&bytes, 1, 5), Ok(vec![Frame::Text(b"Hello".to_vec())]));
}

#[test]
fn portions_and_fragments_do_not_matter() {
    let long = vec![b'x'; 70_000];
    let bytes = [
        frame(FIN | TEXT, b"<one/>"),
        frame(TEXT, b"<t"),
        frame(FIN | PING, b"there?"),
        frame(CONTINUATION, b""),
        frame(FIN | PONG, b""),
        frame(FIN | CONTINUATION, b"wo/>"),
        frame(FIN | TEXT, &long[..300]),
        frame(FIN | TEXT, &long),
        frame(FIN | CLOSE, &NORMAL.to_be_bytes()),
    ]
    .concat();
    let expected = vec![
        Frame::Text(b"<one/>".to_vec()),
        Frame::Ping(b"there?".to_vec()),
        Frame::Text(b"<two/>".to_vec()),
        Frame::Text(long[..300].to_vec()),
        Frame::Text(long),
        Frame::Close,
    ];
    for portion in [1, 2, 3, 7, 4096, bytes.len()] {
        assert_eq!(decode(&bytes, portion, 70_000).as_ref(), Ok(&expected), "in portions of {portion}");
    }
}

#[test]
fn what_the_standard_forbids_fails() {
    use FrameError::{Binary, Protocol, TooBig};
    let unmasked = vec![FIN | TEXT, 0];
    let not_the_shortest = [&[FIN | TEXT, MASKED | 126, 0, 5][..], &MASK].concat();
    let negative = [&[FIN | TEXT, MASKED | 127][..], &u64::MAX.to_be_bytes(), &MASK].concat();
    let huge = [&[FIN | TEXT, MASKED | 127][..], &i64::MAX.to_be_bytes(), &MASK].concat();
    for (name, bytes, error) in [
        ("unmasked", unmasked, Protocol),
        ("a reserved bit", frame(FIN | 0x40 | TEXT, b"x"), Protocol),
        ("a reserved opcode", frame(FIN | 0x3, b"x"), Protocol),
        ("binary", frame(FIN | BINARY, b"x"), Binary),
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"x"), Protocol),
        ("a text within a text", [frame(TEXT, b"x"), frame(FIN | TEXT, b"y")].concat(), Protocol),
        ("a ping in fragments", frame(PING, b"x"), Protocol),
        ("a large ping", frame(FIN | PING, &[0; 126]), Protocol),
        ("a code of one byte", frame(FIN | CLOSE, b"x"), Protocol),
        ("a length in too many bytes", not_the_shortest, Protocol),
        ("a negative length", negative, Protocol),
        ("a length beyond all", huge, TooBig),
        ("one byte too much", frame(FIN | TEXT, &[b'x'; 101]), TooBig),
        (
            "too much in fragments",
            [frame(TEXT, &[b'x'; 60]), frame(FIN | CONTINUATION, &[b'x'; 41])].concat(),
            TooBig,
        ),
    ] {
        assert_eq!(decode(&bytes, 1, 100), Err(error), "{name}");
    }
}

#[test]
fn a_server_does_not_mask() {
    assert_eq!(&text(5)[..], [0x81, 5]);
    assert_eq!(&text(256)[..], [0x81, 126, 1, 0]);
    assert_eq!(&text(65_536)[..], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(pong(b"hi"), [0x8a, 2, b'h', b'i']);
    assert_eq!(close(NORMAL), [0x88, 2, 3, 232]);
}
