//! What the server knows of an uploaded file, as the metadata that goes with it in a message (XEP-0446, XEP-0447): a client that
//! shares it need not find out itself. Asked by its address, with a request of our own:
//!
//! ```xml
//! <iq type='get' to='example.org'><info xmlns='https://rookery.im/file' url='https://example.org/upload/…/cat.jpg'/></iq>
//! <iq type='result' …><info xmlns='https://rookery.im/file'><file xmlns='urn:xmpp:file:metadata:0'>…</file></info></iq>
//! ```
//!
//! Who knows the address may ask, as it may download. A picture has its size and a small copy (XEP-0264).

use super::{Xep, upload};
use crate::answer::{Answer, Reply};
use crate::limits::{THUMBNAIL_EDGE, THUMBNAIL_PIXELS};
use crate::{Ctx, store_error};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Blob, FileToken, UPLOAD_MARK, Upload};

/// XEP-0264.
pub const THUMBNAILS: Xep = Xep::of(
    "XEP-0264",
    "Jingle Content Thumbnails",
    "0.4.2",
    "Of uploaded JPEG, PNG, GIF and WebP pictures, over HTTP; in the metadata that the server gives of a file.",
);

/// XEP-0446.
pub const INFO: Xep = Xep {
    number: "XEP-0446",
    name: "File metadata element",
    version: "0.2.0",
    server: &[ns::FILE_INFO],
    account: &[],
    note: "Passed on and archived; of uploaded files the server gives it by a request of its own (docs/files.md).",
};

/// XEP-0447.
pub const SHARING: Xep = Xep::of(
    "XEP-0447",
    "Stateless file sharing",
    "0.3.1",
    "Passed on and archived; its files go with the message.",
);

/// How large the small copy of a picture is: as wide or high as may be, and never larger than the picture.
pub fn thumbnail_size((width, height): (u32, u32)) -> (u32, u32) {
    let longest = width.max(height).max(1);
    let shrunk = |edge: u32| match longest > THUMBNAIL_EDGE {
        true => (u64::from(edge) * u64::from(THUMBNAIL_EDGE) / u64::from(longest)).max(1) as u32,
        false => edge.max(1),
    };
    (shrunk(width), shrunk(height))
}

/// A client asks about a file.
pub async fn info(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let Some(files) = &ctx.core.policy.files else { return Err(StanzaError::service_unavailable()) };
    let url = payload.attr("url").ok_or_else(StanzaError::bad_request)?;
    let token = token_of(&url).ok_or_else(StanzaError::item_not_found)?;
    let upload = ctx.core.store.upload(token).await.map_err(store_error)?;
    let here = upload.filter(|upload| upload.due.is_none_or(|due| ctx.core.env.now() < due));
    let (upload, blob) = here
        .and_then(|upload| upload.blob.map(|blob| (upload, blob)))
        .ok_or_else(StanzaError::item_not_found)?;
    let mut x = Xml::new();
    x.open_ns("info", ns::FILE_INFO);
    write(&mut x, files, &upload, blob);
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// The upload that an address names.
fn token_of(url: &str) -> Option<FileToken> {
    let rest = url.split_once(UPLOAD_MARK)?.1;
    FileToken::new(rest.as_bytes().get(..FileToken::LEN)?)
}

fn write(x: &mut Xml, files: &upload::Files, upload: &Upload, blob: Blob) {
    x.open_ns("file", ns::FILE_METADATA);
    if !upload.media_type.is_empty() {
        x.text_element("media-type", &upload.media_type);
    }
    x.text_element("name", &upload.name).text_element("size", &upload.size.to_string());
    x.open_ns("hash", ns::HASHES).attr("algo", "sha-256").text(&BASE64_STANDARD.encode(blob.hash.0)).close();
    if let Some((width, height)) = blob.dimensions {
        x.text_element("width", &width.to_string()).text_element("height", &height.to_string());
        if u64::from(width) * u64::from(height) <= THUMBNAIL_PIXELS {
            let uri = format!("{}?thumbnail", files.address(upload.token, &upload.name));
            let (width, height) = thumbnail_size((width, height));
            x.open_ns("thumbnail", ns::THUMBS).attr("uri", &uri).attr("media-type", "image/jpeg");
            x.attr("width", &width.to_string()).attr("height", &height.to_string()).close();
        }
    }
    x.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_copies_keep_their_shape() {
        for (size, expected) in [
            ((640, 480), (320, 240)),
            ((480, 640), (240, 320)),
            ((320, 320), (320, 320)),
            ((5, 7), (5, 7)),
            ((10, 3_000), (1, 320)),
            ((65_535, 1), (320, 1)),
            ((0, 0), (1, 1)),
        ] {
            assert_eq!(thumbnail_size(size), expected);
        }
    }

    #[test]
    fn addresses_name_uploads() {
        let token = "abcdefghijklmnopqrstuvwxyz";
        let of = |url: &str| token_of(url).map(|token| token.to_string());
        assert_eq!(of(&format!("https://example.org/upload/{token}/a.jpg")).as_deref(), Some(token));
        for url in [
            "",
            "/upload/",
            "https://example.org/upload/short/x",
            "https://example.org/upload/ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ",
        ] {
            assert_eq!(of(url), None);
        }
    }
}
