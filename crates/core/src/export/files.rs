//! The files that the account has uploaded: each lies in the archive under its name, whose bytes whoever packs it fetches.

use super::{Export, Part};
use crate::env::stamp;
use crate::xep::upload::escaped;
use rookery_proto::xml::Xml;
use rookery_store::{FileToken, Result, StoreError, Upload, UploadFilter, named};
use std::collections::HashMap;

/// Bytes of a file's name in the archive, without its number: what all file systems take.
const NAME_BYTES: usize = 120;

/// Bytes of what stands behind the last dot of a name and is kept when it is cut.
const EXTENSION_BYTES: usize = 16;

/// The files, the oldest first. An account has [`rookery_store::limits::UPLOADS`] at most.
#[derive(Default)]
pub(super) struct Shelf {
    files: Vec<Kept>,
    places: HashMap<FileToken, usize>,
}

/// A file.
pub(super) struct Kept {
    pub(super) upload: Upload,
    /// Where it lies in the archive.
    pub(super) path: String,
}

impl Kept {
    /// Its address for a page at the top of the archive.
    pub(super) fn link(&self) -> String {
        self.path.split('/').map(escaped).collect::<Vec<_>>().join("/")
    }

    /// Its name for people.
    pub(super) fn name(&self) -> &str {
        &self.upload.name
    }
}

impl Shelf {
    pub(super) fn files(&self) -> &[Kept] {
        &self.files
    }

    /// The files that a message names.
    pub(super) fn named(&self, stanza: &[u8]) -> impl Iterator<Item = &Kept> {
        named(stanza).into_iter().filter_map(|token| self.files.get(*self.places.get(&token)?))
    }
}

impl Export<'_> {
    /// What there is: all whose bytes have come.
    pub(super) async fn shelf(&self) -> Result<Shelf> {
        let filter = UploadFilter { uid: Some(self.order.account.uid), ..UploadFilter::default() };
        let (mut uploads, mut before) = (Vec::new(), None);
        loop {
            let page = self.store.uploads(filter.clone(), before).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.number);
            uploads
                .extend(page.into_iter().map(|listed| listed.upload).filter(|upload| upload.blob.is_some()));
        }
        let mut shelf = Shelf::default();
        for (at, upload) in uploads.into_iter().rev().enumerate() {
            shelf.places.insert(upload.token, at);
            let path = format!("files/{}-{}", at + 1, safe(&upload.name));
            shelf.files.push(Kept { upload, path });
        }
        Ok(shelf)
    }

    /// Puts them into the archive.
    pub(super) async fn files(&self, shelf: &Shelf) -> Result<()> {
        for Kept { upload, path } in &shelf.files {
            let Some(blob) = upload.blob else { continue };
            let part = Part::Upload { name: path.clone(), hash: blob.hash, size: upload.size };
            self.out.send(part).await.map_err(|_| StoreError::Closed)?;
        }
        Ok(())
    }
}

/// Lists the files for programs.
pub(super) fn write(x: &mut Xml, shelf: &Shelf) {
    for Kept { upload, path } in &shelf.files {
        x.open("file").attr("name", &upload.name).attr("path", path);
        x.attr("type", &upload.media_type).attr("size", &upload.size.to_string());
        x.attr("token", upload.token.as_str()).attr("at", &stamp(upload.at)).close();
    }
}

/// A name that leads nowhere else and that all systems can write down; a number stands before it.
fn safe(name: &str) -> String {
    let plain = |c: char| match c {
        c if c.is_alphanumeric() || " .-_()+,&'!@".contains(c) => c,
        _ => '_',
    };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches(|c| c == '.' || c == ' ');
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.len() <= EXTENSION_BYTES { extension } else { "" };
    let stem = &name[..name.len() - extension.len()];
    let stem = &stem[..stem.floor_char_boundary(NAME_BYTES - extension.len())];
    match stem {
        "" => format!("file{extension}"),
        stem => format!("{stem}{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for (name, expected) in [
            ("cat.jpg", "cat.jpg"),
            ("Straße 早.png", "Straße 早.png"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\a|b?.exe", "C__a_b_.exe"),
            (".bashrc", "bashrc"),
            ("...", "file"),
            ("", "file"),
            ("a\u{202e}gpj.exe\n", "a_gpj.exe_"),
        ] {
            assert_eq!(safe(name), expected);
        }
        let long = safe(&format!("{}.jpeg", "ä".repeat(500)));
        assert!(long.len() <= NAME_BYTES && long.ends_with("ä.jpeg"), "{long}");
        assert!(safe(&format!("a.{}", "x".repeat(500))).len() <= NAME_BYTES);
    }
}
