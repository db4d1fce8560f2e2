//! XEP-0363: HTTP File Upload. A client asks for a slot here; the bytes go over HTTP.
//!
//! A slot is a row in the store from the beginning: its bytes count towards the quota before they come, and it survives a
//! restart. The address for the upload is that of the file with a key, which only who asked for it is told.

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use crate::secret::Secret;
use crate::{Ctx, limits, store_error};
use data_encoding::BASE32_NOPAD;
use rookery_proto::error::{Detail, ErrorType, StanzaError};
use rookery_proto::form::{Field, Form, Kind};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::limits::{FILE_NAME_BYTES, MEDIA_TYPE_BYTES};
use rookery_store::{FilePurpose, FileQuota, FileToken, NewUpload, Room, StoreError, Timestamp, UPLOAD_MARK};

/// XEP-0363.
pub const INFO: Xep = Xep {
    number: "XEP-0363",
    name: "HTTP File Upload",
    version: "1.2.0",
    server: &[
        ns::HTTP_UPLOAD,
        ns::UPLOAD_MESSAGE,
        ns::UPLOAD_PROFILE,
        ns::UPLOAD_EPHEMERAL,
        ns::UPLOAD_PERMANENT,
    ],
    account: &[],
    note: "At the server's own domain, with all purposes; quotas are told before the upload, which can be resumed.",
};

/// What may be uploaded, and where it is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// The address of HTTP from outside, as `https://example.org`.
    pub base: String,
    /// The largest file in bytes.
    pub largest: u64,
    /// How much may be stored.
    pub quota: FileQuota,
    /// Days after which a file goes that no message is seen to name; `None`: it stays.
    pub unnamed_days: Option<u32>,
}

const DAY_MS: i64 = 86_400_000;

impl Files {
    /// Where a file is.
    pub fn address(&self, token: FileToken, name: &str) -> String {
        format!("{}{UPLOAD_MARK}{token}/{}", self.base, escaped(name))
    }

    /// When a file goes if nothing names it, once it is there.
    pub fn due(&self, purpose: FilePurpose, now: Timestamp) -> Option<Timestamp> {
        let after = |days: u32| Timestamp(now.0.saturating_add(i64::from(days) * DAY_MS));
        match purpose {
            FilePurpose::Message => self.unnamed_days.map(after),
            FilePurpose::Ephemeral => Some(after(1)),
            FilePurpose::Profile | FilePurpose::Permanent => None,
        }
    }
}

/// What opens the upload of a file.
pub fn key(secret: &Secret, token: FileToken) -> String {
    let derived = secret.derive("upload", &[token.as_str().as_bytes()]);
    let mut text = BASE32_NOPAD.encode(&derived[..16]);
    text.make_ascii_lowercase();
    text
}

/// What the server says of its limits (§3, XEP-0128).
pub(super) fn form(files: &Files) -> Form {
    let largest = Field::new(Kind::TextSingle, "max-file-size", "").value(files.largest.to_string());
    Form::new(ns::HTTP_UPLOAD).field(largest)
}

/// A client asks for a slot (§4).
pub async fn request(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let Some(files) = &ctx.core.policy.files else { return Err(StanzaError::service_unavailable()) };
    let (name, size) = (named(payload)?, sized(payload)?);
    let media_type = payload.attr("content-type").unwrap_or_default().into_owned();
    if media_type.len() > MEDIA_TYPE_BYTES || media_type.contains(|c: char| c.is_control()) {
        return Err(StanzaError::bad_request().text("This is no type of a file."));
    }
    if size > files.largest {
        return Err(too_large(files.largest));
    }
    let at = ctx.core.env.now();
    let token =
        FileToken::new(ctx.core.env.token().as_bytes()).ok_or_else(|| store_error(StoreError::Internal))?;
    let due = Timestamp(at.0 + limits::SLOT_MS);
    let (uid, purpose) = (ctx.member.uid, purpose(payload));
    let new = NewUpload { token, uid, name: name.clone(), media_type, size, purpose, at, due };
    match ctx.store.open_upload(new, files.quota).await.map_err(store_error)? {
        Room::Given => {}
        refused => return Err(no_room(refused, files, at)),
    }
    let get = files.address(token, &name);
    let put = format!("{get}?key={}", key(&ctx.core.secret, token));
    let mut x = Xml::new();
    x.open_ns("slot", ns::HTTP_UPLOAD);
    x.open("put").attr("url", &put).close();
    x.open("get").attr("url", &get).close();
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// The file's name, without the folder that it lay in.
fn named(payload: &Child<'_>) -> Result<String, StanzaError> {
    let name = payload.attr("filename").unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // "." and ".." would be steps in a path (RFC 3986 §5.2.4).
    let is_word = name.contains(|c: char| c != '.');
    let usable = is_word && name.len() <= FILE_NAME_BYTES && !name.contains(|c: char| c.is_control());
    if usable {
        Ok(name.to_owned())
    } else {
        let text = format!("A file has a name (`filename`) of at most {FILE_NAME_BYTES} bytes.");
        Err(StanzaError::bad_request().text(text))
    }
}

fn sized(payload: &Child<'_>) -> Result<u64, StanzaError> {
    let size = payload.attr("size").and_then(|size| size.parse().ok());
    size.ok_or_else(|| StanzaError::bad_request().text("A file has a `size` in bytes."))
}

/// What it is for: what the client says, of several the first that is known.
fn purpose(payload: &Child<'_>) -> FilePurpose {
    let said = payload.children().filter(|child| child.ns() == ns::UPLOAD_PURPOSE);
    let known = said.filter_map(|child| match child.name() {
        "message" => Some(FilePurpose::Message),
        "profile" => Some(FilePurpose::Profile),
        "ephemeral" => Some(FilePurpose::Ephemeral),
        "permanent" => Some(FilePurpose::Permanent),
        _ => None,
    });
    known.into_iter().next().unwrap_or_default()
}

/// §5: the file is too large.
fn too_large(most: u64) -> StanzaError {
    StanzaError::not_acceptable()
        .text(format!("The file is too large: files have at most {}.", people(most)))
        .app(ns::HTTP_UPLOAD, "file-too-large")
        .app_detail(Detail::Child("max-file-size", most.to_string()))
}

/// §5: there is no room, and when there may be.
fn no_room(why: Room, files: &Files, now: Timestamp) -> StanzaError {
    let retry = |text: String, at: Timestamp| {
        StanzaError::resource_constraint()
            .kind(ErrorType::Wait)
            .text(text)
            .app(ns::HTTP_UPLOAD, "retry")
            .app_detail(Detail::Attr("stamp", stamp(at)))
    };
    // Nobody knows when somebody will make room: a day is as good as any.
    let some_day = Timestamp(now.0 + DAY_MS);
    match why {
        Room::Busy(until) => retry("Too many of your uploads have not been finished.".into(), until),
        Room::Quota { used, until } => {
            let most = files.quota.account.unwrap_or(used);
            let text = format!(
                "There is not enough room left for your files: {} of {} are taken. Take back messages with files to make room.",
                people(used),
                people(most)
            );
            retry(text, until.unwrap_or(some_day))
        }
        Room::Full | Room::Given => retry("The server has no more room for files.".into(), some_day),
    }
}

/// A number of bytes as people say it.
pub fn people(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let tenths = bytes / (unit / 10);
            match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                tenth => format!("{}.{tenth} {name}", tenths / 10),
            }
        }
        None => format!("{bytes} bytes"),
    }
}

/// A name as a part of an address (RFC 3986 §2.3).
pub(crate) fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_addresses() {
        for (name, expected) in [
            ("a.jpg", "a.jpg"),
            ("my cat.jpg", "my%20cat.jpg"),
            ("ä?#%.png", "%C3%A4%3F%23%25.png"),
            ("<&'\">", "%3C%26%27%22%3E"),
        ] {
            assert_eq!(escaped(name), expected);
        }
    }

    #[test]
    fn bytes_are_said_as_people_say_them() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1 KB"),
            (1_550_000, "1.5 MB"),
            (2_000_000_000, "2 GB"),
        ] {
            assert_eq!(people(bytes), expected);
        }
    }

    #[test]
    fn a_key_opens_one_upload() {
        let token = |letter: u8| FileToken::new(&[letter; FileToken::LEN]).expect("a token");
        let secret = Secret::new([1; 32]);
        assert_eq!(key(&secret, token(b'a')), key(&secret, token(b'a')));
        assert_ne!(key(&secret, token(b'a')), key(&secret, token(b'b')));
        assert_ne!(key(&secret, token(b'a')), key(&Secret::new([2; 32]), token(b'a')));
        assert_eq!(key(&secret, token(b'a')).len(), 26);
    }
}
