use super::*;
use ogg::reading::PacketReader;
use proptest::prelude::*;
use std::io::Cursor;

const HEAD: &[u8] = b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0";

/// 20 ms of one frame.
fn packet(fill: u8) -> Vec<u8> {
    vec![1 << 3, fill, fill]
}

/// An element with a size of eight bytes; `None`: not known.
fn element(id: &[u8], size: Option<u64>, content: &[u8]) -> Vec<u8> {
    let size =
        size.map_or([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], |size| (size | 1 << 56).to_be_bytes());
    [id, &size, content].concat()
}

fn known(id: &[u8], content: &[u8]) -> Vec<u8> {
    element(id, Some(content.len() as u64), content)
}

fn block(id: &[u8], track: u8, packet: &[u8]) -> Vec<u8> {
    known(id, &[&[0x80 | track, 0, 0, 0x80][..], packet].concat())
}

fn track(number: u8, codec: &[u8], head: &[u8]) -> Vec<u8> {
    let parts = [known(&[0xd7], &[number]), known(&[0x86], codec), known(&[0x63, 0xa2], head)];
    known(&[0xae], &parts.concat())
}

/// A recording as a browser makes it: sizes that were not known when it began.
fn recording(head: &[u8], blocks: &[Vec<u8>]) -> Vec<u8> {
    let tracks = [track(1, b"V_VP8", b""), track(2, b"A_OPUS", head)].concat();
    [
        known(&[0x1a, 0x45, 0xdf, 0xa3], &known(&[0x42, 0x82], b"webm")),
        element(&[0x18, 0x53, 0x80, 0x67], None, b""),
        known(&[0x15, 0x49, 0xa9, 0x66], &known(&[0x4d, 0x80], b"a browser")),
        known(&[0x16, 0x54, 0xae, 0x6b], &tracks),
        element(&[0x1f, 0x43, 0xb6, 0x75], None, &known(&[0xe7], &[0])),
        blocks.concat(),
    ]
    .concat()
}

fn simple(packets: &[Vec<u8>]) -> Vec<u8> {
    recording(HEAD, &packets.iter().map(|packet| block(&[0xa3], 2, packet)).collect::<Vec<_>>())
}

/// The packets of an Ogg file with the positions of their pages.
fn read(ogg: Vec<u8>) -> Vec<(Vec<u8>, u64)> {
    let mut reader = PacketReader::new(Cursor::new(ogg));
    let mut packets = Vec::new();
    while let Some(packet) = reader.read_packet().expect("it is Ogg") {
        packets.push((packet.data.clone(), packet.absgp_page()));
    }
    packets
}

#[test]
fn a_recording_becomes_ogg() {
    let packets: Vec<_> = (0..120).map(packet).collect();
    let written = read(rewritten(&simple(&packets)[..]).unwrap());
    assert_eq!(written[0], (HEAD.to_vec(), 0));
    assert_eq!(written[1], (TAGS.to_vec(), 0));
    assert_eq!(written[2..].iter().map(|(data, _)| data.clone()).collect::<Vec<_>>(), packets);
    // A page is a second, fifty packets; the last one is shorter.
    assert_eq!(
        (written[2].1, written[51].1, written[52].1, written[121].1),
        (48_000, 48_000, 96_000, 120 * 960)
    );
}

#[test]
fn all_forms_of_blocks_are_read() {
    let group = known(&[0xa0], &block(&[0xa1], 2, &packet(2)));
    let another = element(&[0x1f, 0x43, 0xb6, 0x75], None, &[]);
    let blocks = [
        block(&[0xa3], 2, &packet(1)),
        block(&[0xa3], 1, b"a picture"),
        group,
        another,
        block(&[0xa3], 2, &packet(3)),
    ];
    let written = read(rewritten(&recording(HEAD, &blocks)[..]).unwrap());
    assert_eq!(written[2..].iter().map(|(data, _)| data[1]).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn what_breaks_off_is_kept_up_to_there() {
    let whole = simple(&[packet(1), packet(2), packet(3)]);
    let written = read(rewritten(&whole[..whole.len() - 1]).unwrap());
    assert_eq!(written.len(), 4);
}

#[test]
fn what_is_no_recording_is_left() {
    let stereo_of_six = b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01";
    let laced = known(&[0xa3], &[&[0x82, 0, 0, 0x82, 1][..], &packet(1)].concat());
    let endless = element(&[0xa3], Some(1 << 50), b"");
    for other in [
        Vec::new(),
        b"OggS".to_vec(),
        simple(&[]),
        simple(&[vec![0xff]]),
        recording(stereo_of_six, &[block(&[0xa3], 2, &packet(1))]),
        recording(b"", &[block(&[0xa3], 2, &packet(1))]),
        recording(HEAD, &[laced]),
        recording(HEAD, &[endless]),
        recording(HEAD, &[block(&[0xa3], 1, &packet(1))]),
    ] {
        assert_eq!(rewritten(&other[..]), None, "{:02x?}", &other[other.len().saturating_sub(40)..]);
    }
}

proptest! {
    /// Whatever it is: nothing panics, little is written for little that was read, and what is written is Ogg.
    #[test]
    fn hostile_recordings(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        bounded(&bytes)?;
    }

    #[test]
    fn broken_recordings(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..60),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = simple(&packets);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bounded(&bytes)?;
        bounded(&bytes[..end.index(bytes.len())])?;
    }
}

fn bounded(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Some(ogg) = rewritten(bytes) {
        prop_assert!(ogg.len() < 400 + 2 * bytes.len(), "{} of {}", ogg.len(), bytes.len());
        prop_assert!(read(ogg).len() > 2);
    }
    Ok(())
}
