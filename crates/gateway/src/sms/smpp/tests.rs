use super::pdu::{brought, submits};
use super::wire::{Heard, Reader, decode, encode};
use super::{Joining, Settings};
use crate::reach::channel::State;
use crate::sms::brought::{Brought, Message};
use crate::sms::text::{Alphabet, Parts, Place};
use proptest::prelude::*;
use rusmpp_core::command::owned::Command;
use rusmpp_core::pdus::owned::{DeliverSm, Pdu, SubmitSm};
use rusmpp_core::tlvs::owned::MessageDeliveryRequestTlvValue as Extra;
use rusmpp_core::types::owned::{COctetString, OctetString};
use rusmpp_core::values::{DataCoding, EsmClass, MessageState};
use rusmpp_core::{CommandId, CommandStatus};
use std::str::FromStr;

fn settings(joining: Joining) -> Settings {
    Settings {
        system_id: "rookery".into(),
        password: "secret".into(),
        system_type: String::new(),
        sender: "Rookery".into(),
        joining,
        default_alphabet: Alphabet::Gsm,
        window: 10,
    }
}

/// What a carrier would bring to somebody who was sent this: the two have the same fields.
fn delivered(submit: &SubmitSm) -> DeliverSm {
    let mut bytes = encode(&Command::new(CommandStatus::EsmeRok, 1, submit.clone()));
    bytes[7] = 5;
    match decode(bytes.split_off(4)) {
        Heard::Command(command) => match command.pdu() {
            Some(Pdu::DeliverSm(deliver)) => deliver.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn messages(text: &str, joining: Joining) -> Vec<Message> {
    let submits = submits(&settings(joining), "+4917100000", &Parts::of(text), 0x2a).expect("it can be said");
    let read = |submit: &SubmitSm| match brought(&delivered(submit), Alphabet::Gsm) {
        Brought::Message(message) => message,
        other => panic!("{other:?}"),
    };
    submits.iter().map(read).collect()
}

#[test]
fn a_submit_as_bytes() {
    let submits = submits(&settings(Joining::Header), "+491711234567", &Parts::of("Hi @"), 1).unwrap();
    let bytes = encode(&Command::new(CommandStatus::EsmeRok, 7, submits[0].clone()));
    let expected = [
        b"\0\0\0\x3f\0\0\0\x04\0\0\0\0\0\0\0\x07".as_slice(),
        b"\0\x05\0Rookery\0\x01\x01491711234567\0",
        b"\0\0\0\0\0\x01\0\0\0\x04Hi \0",
    ]
    .concat();
    let mut expected = expected;
    expected[3] = expected.len() as u8;
    assert_eq!(bytes.as_ref(), expected);
}

#[test]
fn long_texts_are_told_in_three_ways() {
    let text = "字".repeat(100);
    for (joining, parts) in [(Joining::Header, 2), (Joining::Sar, 2), (Joining::Payload, 1)] {
        let messages = messages(&text, joining);
        assert_eq!(messages.len(), parts, "{joining:?}");
        let places: Vec<_> = messages.iter().filter_map(|message| message.place).collect();
        let place = |number| Place { reference: 0x2a, total: 2, number };
        assert_eq!(places, if parts == 1 { vec![] } else { vec![place(1), place(2)] });
        let bytes: Vec<u8> = messages.iter().flat_map(|message| message.bytes.clone()).collect();
        assert_eq!(messages[0].alphabet.decode(&bytes), text);
        assert_eq!((messages[0].from.as_str(), messages[0].to.as_str()), ("Rookery", "+4917100000"));
    }
}

#[test]
fn receipts_are_told_in_two_ways() {
    let mut deliver = DeliverSm::builder().esm_class(EsmClass::from(4)).build();
    deliver.set_short_message(OctetString::from_slice(b"id:7 stat:UNDELIV err:001").unwrap());
    let Brought::Receipt(receipt) = brought(&deliver, Alphabet::Gsm) else { panic!("it is a receipt") };
    assert_eq!((receipt.id.as_str(), receipt.state), ("7", Some(State::Failed)));
    // What the fields say counts; carriers write the number in words otherwise.
    deliver.push_tlv(Extra::ReceiptedMessageId(COctetString::from_str("0007").unwrap()));
    let Brought::Receipt(receipt) = brought(&deliver, Alphabet::Gsm) else { panic!("it is a receipt") };
    assert_eq!(receipt.id, "0007");
    let mut bare = DeliverSm::builder().esm_class(EsmClass::from(4)).build();
    assert_eq!(brought(&bare, Alphabet::Gsm), Brought::Nothing);
    bare.push_tlv(Extra::ReceiptedMessageId(COctetString::from_str("9").unwrap()));
    bare.push_tlv(Extra::MessageState(MessageState::Delivered));
    let Brought::Receipt(receipt) = brought(&bare, Alphabet::Gsm) else { panic!("it is a receipt") };
    assert_eq!(receipt.state, Some(State::Delivered));
}

#[test]
fn who_and_in_what() {
    let mut deliver = DeliverSm::builder()
        .source_addr(COctetString::from_str("49171000000").unwrap())
        .destination_addr(COctetString::from_str("12345").unwrap())
        .esm_class(EsmClass::from(0))
        .data_coding(DataCoding::Latin1)
        .build();
    deliver.set_short_message(OctetString::from_slice(b"Gr\xfc\xdfe").unwrap());
    let Brought::Message(message) = brought(&deliver, Alphabet::Gsm) else { panic!("it is a message") };
    assert_eq!((message.from.as_str(), message.to.as_str()), ("+49171000000", "12345"));
    assert_eq!(message.alphabet.decode(&message.bytes), "Grüße");
    deliver.data_coding = DataCoding::OctetUnspecified;
    assert_eq!(brought(&deliver, Alphabet::Gsm), Brought::Nothing, "ringing tones");
}

async fn heard(bytes: &[u8]) -> Vec<Heard> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::new();
    while let Ok(Some(heard)) = reader.next().await {
        all.push(heard);
    }
    all
}

#[tokio::test]
async fn what_cannot_be_read_does_not_end_it() {
    let good = encode(&Command::new(CommandStatus::EsmeRok, 9, Pdu::EnquireLink));
    // A deliver_sm that is cut, an unknown request, and an answer without its body.
    let cut = b"\0\0\0\x12\0\0\0\x05\0\0\0\0\0\0\0\x03ab";
    let unknown = b"\0\0\0\x10\0\0\x77\x77\0\0\0\0\0\0\0\x04";
    let answer = b"\0\0\0\x10\x80\0\0\x04\0\0\0\x58\0\0\0\x05";
    let all = heard(&[cut.as_slice(), unknown, answer, &good].concat()).await;
    assert!(matches!(all[0], Heard::Broken(3, _)), "{:?}", all[0]);
    assert!(matches!(all[1], Heard::Broken(4, CommandStatus::EsmeRinvcmdid)), "{:?}", all[1]);
    assert!(
        matches!(&all[2], Heard::Command(it) if it.status() == CommandStatus::EsmeRthrottled),
        "{:?}",
        all[2]
    );
    assert!(matches!(&all[3], Heard::Command(it) if it.id() == CommandId::EnquireLink), "{:?}", all[3]);
}

proptest! {
    #[test]
    fn every_text_arrives(text in ".{0,300}", way in 0usize..3) {
        let joining = [Joining::Header, Joining::Sar, Joining::Payload][way];
        let messages = messages(&text, joining);
        let bytes: Vec<u8> = messages.iter().flat_map(|message| message.bytes.clone()).collect();
        prop_assert_eq!(messages[0].alphabet.decode(&bytes), text);
    }

    #[test]
    fn no_bytes_are_too_strange(id in 0u8..0x22, answer in any::<bool>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = (16 + body.len() as u32).to_be_bytes().to_vec();
        bytes.extend([if answer { 0x80 } else { 0 }, 0, 0, id, 0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend(&body);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = runtime.block_on(heard(&bytes));
        prop_assert_eq!(all.len(), 1);
        if let Heard::Command(command) = &all[0] && let Some(Pdu::DeliverSm(deliver)) = command.pdu() {
            brought(deliver, Alphabet::Gsm);
        }
    }
}
