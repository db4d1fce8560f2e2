//! The keys that sign mail, in the folder `dkim` of the data directory: a file `SELECTOR.pem` each. Those that are made here have
//! the day in their selector.

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use rookery_gateway::mail::dkim::{Key, Kind};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::{Date, UtcDateTime};
use tokio::time::Instant;

/// Keys that are read: each has a DNS record, and a handful is many.
const KEYS: usize = 16;

/// How long the DNS may take to know a new record everywhere.
const PUBLISHED: time::Duration = time::Duration::days(2);

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Where they are.
pub fn folder(data: &Path) -> PathBuf {
    data.join("dkim")
}

/// Now.
pub fn today() -> Date {
    UtcDateTime::now().date()
}

/// All keys, by selector; what is none is told and left out.
pub fn read(folder: &Path, domain: &str) -> Result<Vec<Key>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("{} cannot be read", folder.display()))?,
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "pem"));
    files.sort();
    let mut keys = Vec::new();
    for path in files.into_iter().take(KEYS) {
        let pem = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let selector = path.file_stem().and_then(|it| it.to_str()).filter(|it| is_selector(it));
        match selector.and_then(|selector| Key::read(domain, selector, &pem)) {
            Some(key) => keys.push(key),
            None => tracing::warn!(file = %path.display(), "this is no key that signs mail"),
        }
    }
    Ok(keys)
}

fn is_selector(name: &str) -> bool {
    (1..=63).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Makes a key of each kind.
pub fn make(folder: &Path, today: Date) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let day = format!("{:04}{:02}{:02}", today.year(), u8::from(today.month()), today.day());
    for (kind, letter) in [(Kind::Rsa, 'r'), (Kind::Ed25519, 'e')] {
        let path = folder.join(format!("{letter}{day}.pem"));
        if path.exists() {
            bail!("there are keys of today already");
        }
        let pem = kind.make().context("no key comes of it")?;
        crate::data::kept(&path, || Ok(pem.into_bytes()))?;
    }
    Ok(())
}

/// The day in a selector; none: somebody else has made it, at any time.
fn made(selector: &str) -> Option<Date> {
    let digits = selector.strip_prefix(['r', 'e']).filter(|it| it.len() == 8)?;
    let month: u8 = digits.get(4..6)?.parse().ok()?;
    let (year, day) = (digits.get(..4)?.parse().ok()?, digits.get(6..)?.parse().ok()?);
    Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()
}

/// Which of them sign: of each kind the newest whose record everybody knows by now, or the oldest where there is none.
pub fn signing(keys: &[Key], today: Date) -> Vec<usize> {
    let mut signing = Vec::new();
    for kind in [Kind::Rsa, Kind::Ed25519] {
        let day = |at: usize| made(&keys[at].selector);
        let of_kind = || (0..keys.len()).filter(|at| keys[*at].kind == kind);
        let known = |at: &usize| day(*at).is_none_or(|day| day + PUBLISHED <= today);
        signing.extend(
            of_kind().filter(known).max_by_key(|at| day(*at)).or_else(|| of_kind().min_by_key(|at| day(*at))),
        );
    }
    signing
}

/// The keys as a running server has them: the folder is looked at once a minute.
pub struct Ring {
    folder: PathBuf,
    domain: String,
    read: Mutex<Option<(Instant, Vec<Key>)>>,
}

impl Ring {
    /// Those of this folder, when they are wanted.
    pub fn new(folder: PathBuf, domain: String) -> Ring {
        Ring { folder, domain, read: Mutex::default() }
    }

    /// The signatures of a mail, to stand before it.
    pub fn sign(&self, mail: &[u8]) -> String {
        let mut read = self.read.lock();
        if read.as_ref().is_none_or(|(at, _)| at.elapsed() > LOOK) {
            match self::read(&self.folder, &self.domain) {
                Ok(keys) => *read = Some((Instant::now(), keys)),
                Err(error) => tracing::warn!(%error, "mail goes out without new signatures"),
            }
        }
        let Some((_, keys)) = read.as_ref() else { return String::new() };
        signing(keys, today()).into_iter().filter_map(|at| keys[at].sign(mail)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn new_keys_sign_when_their_records_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let put = |selector: &str| {
            let pem = Kind::Ed25519.make().unwrap();
            std::fs::write(folder.path().join(format!("{selector}.pem")), pem).unwrap();
        };
        assert!(signing(&read(folder.path(), "x.org").unwrap(), today()).is_empty());
        put("e20260101");
        std::fs::write(folder.path().join("bad.pem"), "x").unwrap();
        let who = |day| {
            let keys = read(folder.path(), "x.org").unwrap();
            signing(&keys, day).into_iter().map(|at| keys[at].selector.clone()).collect::<Vec<_>>()
        };
        assert_eq!(who(date!(2026 - 01 - 01)), ["e20260101"], "the only one signs at once");
        put("e20260301");
        assert_eq!(who(date!(2026 - 03 - 02)), ["e20260101"]);
        assert_eq!(who(date!(2026 - 03 - 03)), ["e20260301"]);
        put("own");
        assert_eq!(who(date!(2026 - 03 - 03)), ["e20260301"]);
        let ring = Ring::new(folder.path().to_owned(), "x.org".into());
        assert!(ring.sign(b"From: a@x.org\r\n\r\nx\r\n").contains("s=e20260301"));
    }
}
