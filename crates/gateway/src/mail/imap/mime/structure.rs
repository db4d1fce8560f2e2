//! `ENVELOPE` and `BODYSTRUCTURE` (RFC 9051 §7.5.2).

use super::address::{Address, addresses};
use super::header::{Fields, fields, parametrised};
use super::{Inside, Part};
use crate::mail::imap::answer::{nstring, string};

/// Writes the envelope of a header.
pub(in crate::mail::imap) fn envelope(out: &mut Vec<u8>, header: &[u8]) {
    let fields = fields(header);
    out.push(b'(');
    field(out, &fields, "date");
    out.push(b' ');
    field(out, &fields, "subject");
    let from = fields.value("from");
    // Whoever is not named otherwise is who wrote it.
    let or_from =
        |name: &str| fields.value(name).filter(|it| !addresses(it).is_empty()).or_else(|| from.clone());
    for value in [
        from.clone(),
        or_from("sender"),
        or_from("reply-to"),
        fields.value("to"),
        fields.value("cc"),
        fields.value("bcc"),
    ] {
        out.push(b' ');
        list(out, &value.map_or_else(Vec::new, |value| addresses(&value)));
    }
    for name in ["in-reply-to", "message-id"] {
        out.push(b' ');
        field(out, &fields, name);
    }
    out.push(b')');
}

fn field(out: &mut Vec<u8>, fields: &Fields<'_>, name: &str) {
    nstring(out, fields.value(name).as_deref());
}

fn list(out: &mut Vec<u8>, addresses: &[Address]) {
    if addresses.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for Address { name, local, host } in addresses {
        out.push(b'(');
        nstring(out, name.as_deref());
        // No source routes are told.
        out.extend_from_slice(b" NIL ");
        nstring(out, local.as_deref());
        out.push(b' ');
        nstring(out, host.as_deref());
        out.push(b')');
    }
    out.push(b')');
}

/// Writes the structure of a part, `extended` as `BODYSTRUCTURE` has it.
pub(in crate::mail::imap) fn structure(out: &mut Vec<u8>, mail: &[u8], part: &Part, extended: bool) {
    let fields = fields(&mail[part.header.clone()]);
    out.push(b'(');
    match &part.inside {
        Inside::Parts(parts) => {
            for inner in parts {
                structure(out, mail, inner, extended);
            }
            out.push(b' ');
            string(out, part.kind.1.as_bytes());
            if extended {
                out.push(b' ');
                parameters(out, &part.parameters);
                placing(out, &fields);
            }
        }
        inside => {
            leaf(out, mail, part, &fields);
            if let Inside::Mail(inner) = inside {
                out.push(b' ');
                envelope(out, &mail[inner.header.clone()]);
                out.push(b' ');
                structure(out, mail, inner, extended);
            }
            if part.kind.0 == "text" || matches!(inside, Inside::Mail(_)) {
                let lines = memchr::memchr_iter(b'\n', &mail[part.body.clone()]).count();
                out.extend_from_slice(format!(" {lines}").as_bytes());
            }
            if extended {
                out.push(b' ');
                field(out, &fields, "content-md5");
                placing(out, &fields);
            }
        }
    }
    out.push(b')');
}

/// What all that are not divided say.
fn leaf(out: &mut Vec<u8>, mail: &[u8], part: &Part, fields: &Fields<'_>) {
    string(out, part.kind.0.as_bytes());
    out.push(b' ');
    string(out, part.kind.1.as_bytes());
    out.push(b' ');
    match part.parameters.is_empty() && part.kind.0 == "text" {
        // RFC 2045 §5.2.
        true => out.extend_from_slice(b"(\"charset\" \"us-ascii\")"),
        false => parameters(out, &part.parameters),
    }
    for name in ["content-id", "content-description"] {
        out.push(b' ');
        field(out, fields, name);
    }
    out.push(b' ');
    let encoding = fields.value("content-transfer-encoding").filter(|encoding| !encoding.is_empty());
    string(out, encoding.as_deref().unwrap_or(b"7bit"));
    let size = mail[part.body.clone()].len();
    out.extend_from_slice(format!(" {size}").as_bytes());
}

fn parameters(out: &mut Vec<u8>, parameters: &[(String, String)]) {
    if parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (at, (name, value)) in parameters.iter().enumerate() {
        out.push(if at == 0 { b'(' } else { b' ' });
        string(out, name.as_bytes());
        out.push(b' ');
        string(out, value.as_bytes());
    }
    out.push(b')');
}

/// Disposition, language and location.
fn placing(out: &mut Vec<u8>, fields: &Fields<'_>) {
    out.push(b' ');
    match fields.first("content-disposition").map(|value| parametrised(&value)) {
        Some((kind, said)) if !kind.is_empty() => {
            out.push(b'(');
            string(out, kind.as_bytes());
            out.push(b' ');
            parameters(out, &said);
            out.push(b')');
        }
        _ => out.extend_from_slice(b"NIL"),
    }
    for name in ["content-language", "content-location"] {
        out.push(b' ');
        field(out, fields, name);
    }
}
