//! What PDUs mean to us: messages that go out, and what a carrier brings.

use super::receipt;
use super::{Joining, Settings};
use crate::sms::brought::{self, Brought, Message, Receipt};
use crate::sms::phone;
use crate::sms::text::{Alphabet, Parts, Place, take_header};
use rusmpp_core::pdus::owned::{BindTransceiver, DeliverSm, SubmitSm};
use rusmpp_core::tlvs::owned::{MessageSubmissionRequestTlvValue as Extra, Tlv, TlvValue};
use rusmpp_core::types::owned::{AnyOctetString, COctetString, OctetString};
use rusmpp_core::values::owned::MessagePayload;
use rusmpp_core::values::{DataCoding, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use std::str::FromStr;

/// `esm_class`: there is a header in the message (§5.2.12).
const HEADER: u8 = 0x40;

/// `esm_class`: what kind of message it is (§5.2.12), bits 5 to 2.
const KIND: u8 = 0x3c;

/// It has a receipt of the carrier.
const RECEIPT: u8 = 0x04;

/// `registered_delivery`: a receipt is wanted, whatever became of it (§5.2.17).
const WANTED: u8 = 0x01;

/// Signs in (§4.1.5); `None`: what we are called has no room in it.
pub(super) fn bind(settings: &Settings) -> Option<BindTransceiver> {
    Some(BindTransceiver {
        system_id: COctetString::from_str(&settings.system_id).ok()?,
        password: COctetString::from_str(&settings.password).ok()?,
        system_type: COctetString::from_str(&settings.system_type).ok()?,
        interface_version: InterfaceVersion::Smpp3_4,
        ..Default::default()
    })
}

/// The messages that carry a text to a number (§4.4.1). The last asks for a receipt: when that is there, so is the rest.
pub(super) fn submits(settings: &Settings, to: &str, text: &Parts, reference: u16) -> Option<Vec<SubmitSm>> {
    let coding = match text.alphabet {
        Alphabet::Gsm => DataCoding::McSpecific,
        Alphabet::Ucs2 => DataCoding::Ucs2,
        Alphabet::Latin1 => DataCoding::Latin1,
    };
    let (ton, npi, source) = source(&settings.sender);
    let head = SubmitSm::builder()
        .source_addr_ton(ton)
        .source_addr_npi(npi)
        .source_addr(COctetString::from_str(source).ok()?)
        .dest_addr_ton(Ton::International)
        .dest_addr_npi(Npi::Isdn)
        .destination_addr(COctetString::from_str(to.strip_prefix('+').unwrap_or(to)).ok()?)
        .esm_class(EsmClass::from(0))
        .data_coding(coding)
        .build();
    let total = u8::try_from(text.parts.len()).ok()?;
    let mut submits = Vec::new();
    if total > 1 && settings.joining == Joining::Payload {
        let mut submit = head;
        let payload = MessagePayload::new(AnyOctetString::from_vec(text.parts.concat()));
        submit.push_tlv(Extra::MessagePayload(payload));
        submits.push(submit);
    } else {
        for (number, part) in (1..=total).zip(&text.parts) {
            let mut submit = head.clone();
            let place = Place { reference, total, number };
            let mut bytes = Vec::new();
            match settings.joining {
                Joining::Sar if total > 1 => {
                    submit.push_tlv(Extra::SarMsgRefNum(reference));
                    submit.push_tlv(Extra::SarTotalSegments(total));
                    submit.push_tlv(Extra::SarSegmentSeqnum(number));
                }
                Joining::Header if total > 1 => {
                    submit.esm_class = EsmClass::from(HEADER);
                    bytes.extend(place.header());
                }
                _ => {}
            }
            bytes.extend_from_slice(part);
            submit.set_short_message(OctetString::from_vec(bytes).ok()?);
            submits.push(submit);
        }
    }
    submits.last_mut()?.registered_delivery = RegisteredDelivery::from(WANTED);
    Some(submits)
}

/// The sender that phones see (§5.2.5, §5.2.6).
fn source(sender: &str) -> (Ton, Npi, &str) {
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        _ if sender.is_empty() => (Ton::Unknown, Npi::Unknown, ""),
        true if digits.len() < sender.len() => (Ton::International, Npi::Isdn, digits),
        true => (Ton::Unknown, Npi::Isdn, digits),
        false => (Ton::Alphanumeric, Npi::Unknown, sender),
    }
}

/// What a `deliver_sm` is (§4.6.1); `default` is the carrier's alphabet 0.
pub(super) fn brought(deliver: &DeliverSm, default: Alphabet) -> Brought {
    let class = u8::from(deliver.esm_class);
    let content = content(deliver.short_message().as_ref(), deliver.tlvs());
    match class & KIND {
        0 => {}
        RECEIPT => return receipt_of(content, deliver).map_or(Brought::Nothing, Brought::Receipt),
        // Acknowledgements of phones and intermediate notifications.
        _ => return Brought::Nothing,
    }
    let Some(alphabet) = alphabet(deliver.data_coding, default) else { return Brought::Nothing };
    let (place, bytes) = match class & HEADER {
        0 => (segment(deliver.tlvs()), content),
        _ => match take_header(content) {
            Some((place, rest)) => (place.or(segment(deliver.tlvs())), rest),
            None => return Brought::Nothing,
        },
    };
    Brought::Message(Message {
        from: party(deliver.source_addr_ton, deliver.source_addr.as_str()),
        to: party(deliver.dest_addr_ton, deliver.destination_addr.as_str()),
        alphabet,
        bytes: bytes.to_vec(),
        place,
        name: None,
    })
}

/// What a message says: §5.3.2.32, `message_payload` instead of `short_message`.
fn content<'a>(short: &'a [u8], extras: &'a [Tlv]) -> &'a [u8] {
    let payload = extras.iter().find_map(|extra| match extra.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
        _ => None,
    });
    payload.filter(|_| short.is_empty()).unwrap_or(short)
}

/// Where it belongs, by §5.3.2.22 to .24.
fn segment(extras: &[Tlv]) -> Option<Place> {
    let (mut reference, mut total, mut number) = (None, None, None);
    for extra in extras {
        match extra.value() {
            Some(TlvValue::SarMsgRefNum(value)) => reference = Some(*value),
            Some(TlvValue::SarTotalSegments(value)) => total = Some(*value),
            Some(TlvValue::SarSegmentSeqnum(value)) => number = Some(*value),
            _ => {}
        }
    }
    Place::new(reference?, total?, number?)
}

fn receipt_of(content: &[u8], deliver: &DeliverSm) -> Option<Receipt> {
    let written = receipt::parse(&Alphabet::Latin1.decode(content));
    let (mut id, mut state) = (None, None);
    for extra in deliver.tlvs() {
        match extra.value() {
            Some(TlvValue::ReceiptedMessageId(value)) => id = Some(value.as_str().to_owned()),
            Some(TlvValue::MessageState(value)) => state = Some(receipt::of_state(*value)),
            _ => {}
        }
    }
    match (written, id, state) {
        (Some(receipt), id, _) => Some(Receipt { id: id.unwrap_or(receipt.id), ..receipt }),
        (None, Some(id), Some((state, word))) => {
            Some(Receipt { id, state, why: format!("The carrier says {word}.") })
        }
        _ => None,
    }
}

/// In what a message is written (§5.2.19; message classes as in 3GPP TS 23.038 §4); `None`: it is no text that we read.
fn alphabet(coding: DataCoding, default: Alphabet) -> Option<Alphabet> {
    match u8::from(coding) {
        0 => Some(default),
        1 | 3 => Some(Alphabet::Latin1),
        8 => Some(Alphabet::Ucs2),
        coding @ (0x10..=0x1f | 0xf0..=0xff) => match coding & 0x0c {
            0 => Some(Alphabet::Gsm),
            8 => Some(Alphabet::Ucs2),
            _ => None,
        },
        _ => None,
    }
}

/// Who somebody is: a number with its country, where the carrier says so or it can be nothing else; or as the carrier has it.
fn party(ton: Ton, address: &str) -> String {
    match ton {
        Ton::International => phone::international(address).unwrap_or_else(|| address.to_owned()),
        Ton::Unknown => brought::party(address),
        _ => address.to_owned(),
    }
}
