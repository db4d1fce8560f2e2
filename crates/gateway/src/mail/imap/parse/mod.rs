//! What mail programs say (RFC 9051 §9, RFC 3501 §9, and what extensions add).
//!
//! Read by hand: what the version of 2021 asks for (extended `LIST`, `RETURN` options, `$`) no library reads, and a command is a
//! few words in a buffer that has its bounds already.

mod cursor;
mod fetch;
mod search;
mod set;

pub(super) use cursor::Cursor;
pub(super) use fetch::{FetchItem, Section, SectionText};
pub(super) use search::{Field, Key, Returned, Search};
pub(super) use set::{Set, written};

use rookery_store::{FlagsChange, FlagsHow, MailFlags};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Why a command is not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bad(pub(super) &'static str);

/// The name of a folder as it was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Name(pub(super) Vec<u8>);

/// What `STATUS` tells of a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    Size,
    HighestModseq,
}

/// Which folders are listed (RFC 9051 §6.3.9).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct List {
    /// `LSUB` (RFC 3501 §6.3.9).
    pub(super) lsub: bool,
    pub(super) reference: Vec<u8>,
    pub(super) patterns: Vec<Vec<u8>>,
    /// Only those that their owner wants to see.
    pub(super) subscribed: bool,
    /// Only those with a role.
    pub(super) special: bool,
    /// With what `STATUS` tells of them.
    pub(super) status: Vec<StatusItem>,
}

/// A mail that is brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct AppendWhat {
    pub(super) name: Name,
    pub(super) flags: MailFlags,
    pub(super) keywords: Vec<String>,
    /// In milliseconds since 1970.
    pub(super) at: Option<i64>,
    pub(super) mail: Vec<u8>,
}

/// What is done with some mails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Fetch { items: Vec<FetchItem>, changed_since: Option<u64> },
    Store { change: FlagsChange, silent: bool },
    Copy { to: Name, moving: bool },
}

/// A command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Command {
    Capability,
    Noop,
    Logout,
    Id,
    StartTls,
    Login {
        user: String,
        password: String,
    },
    /// RFC 4422, with what comes along (RFC 4959).
    Authenticate {
        mechanism: String,
        initial: Option<Vec<u8>>,
    },
    Enable(Vec<String>),
    Namespace,
    Select {
        name: Name,
        read_only: bool,
        condstore: bool,
    },
    Create(Name),
    Delete(Name),
    Rename {
        from: Name,
        to: Name,
    },
    Subscribe {
        name: Name,
        wanted: bool,
    },
    List(List),
    Status {
        name: Name,
        items: Vec<StatusItem>,
    },
    Append(AppendWhat),
    Idle,
    /// RFC 9208; the root, or the folder whose root is asked for.
    Quota,
    QuotaRoot(Name),
    SetQuota,
    Close,
    Unselect,
    Expunge,
    UidExpunge(Set),
    Search {
        search: Search,
        by_uid: bool,
    },
    On {
        set: Set,
        deed: Deed,
        by_uid: bool,
    },
}

/// Reads what follows the tag.
pub(super) fn command(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let name = cursor.keyword()?;
    let command = match name.as_str() {
        "CAPABILITY" => Command::Capability,
        "NOOP" | "CHECK" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge,
        _ => {
            cursor.space()?;
            with_arguments(&name, cursor)?
        }
    };
    cursor.end()?;
    Ok(command)
}

fn with_arguments(name: &str, cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    Ok(match name {
        "ID" => id(cursor)?,
        "LOGIN" => {
            let user = cursor.text()?;
            cursor.space()?;
            Command::Login { user, password: cursor.text()? }
        }
        "AUTHENTICATE" => {
            let mechanism = cursor.keyword()?;
            let initial = if cursor.is_empty() { None } else { Some(initial_response(cursor)?) };
            Command::Authenticate { mechanism, initial }
        }
        "ENABLE" => Command::Enable(words(cursor)?),
        "SELECT" | "EXAMINE" => {
            let folder = folder(cursor)?;
            let condstore = condstore(cursor)?;
            Command::Select { name: folder, read_only: name == "EXAMINE", condstore }
        }
        "CREATE" => {
            let name = folder(cursor)?;
            if !cursor.is_empty() {
                // RFC 6154 §3: which use it is for; those that have one are there.
                cursor.space()?;
                cursor.list(|cursor| {
                    cursor.keyword()?;
                    cursor.space()?;
                    cursor.list(flag_word)
                })?;
            }
            Command::Create(name)
        }
        "DELETE" => Command::Delete(folder(cursor)?),
        "RENAME" => {
            let from = folder(cursor)?;
            cursor.space()?;
            Command::Rename { from, to: folder(cursor)? }
        }
        "SUBSCRIBE" | "UNSUBSCRIBE" => {
            Command::Subscribe { name: folder(cursor)?, wanted: name == "SUBSCRIBE" }
        }
        "LIST" => Command::List(list(cursor)?),
        "LSUB" => {
            let reference = cursor.astring()?;
            cursor.space()?;
            let patterns = vec![cursor.pattern()?];
            Command::List(List { lsub: true, reference, patterns, ..List::default() })
        }
        "STATUS" => {
            let name = folder(cursor)?;
            cursor.space()?;
            Command::Status { name, items: cursor.list(status_item)? }
        }
        "APPEND" => Command::Append(append(cursor)?),
        "GETQUOTA" => cursor.astring().map(|_| Command::Quota)?,
        "GETQUOTAROOT" => Command::QuotaRoot(folder(cursor)?),
        "SETQUOTA" => {
            cursor.astring()?;
            cursor.space()?;
            cursor.list(|cursor| cursor.atom())?;
            Command::SetQuota
        }
        "SEARCH" => Command::Search { search: Search::parse(cursor)?, by_uid: false },
        "FETCH" | "STORE" | "COPY" | "MOVE" => on(name, cursor, false)?,
        "UID" => {
            let name = cursor.keyword()?;
            cursor.space()?;
            match name.as_str() {
                "SEARCH" => Command::Search { search: Search::parse(cursor)?, by_uid: true },
                "EXPUNGE" => Command::UidExpunge(Set::parse(cursor)?),
                "FETCH" | "STORE" | "COPY" | "MOVE" => on(&name, cursor, true)?,
                _ => return Err(Bad("There is no such command")),
            }
        }
        _ => return Err(Bad("There is no such command")),
    })
}

fn folder(cursor: &mut Cursor<'_>) -> Result<Name, Bad> {
    cursor.astring().map(Name)
}

fn words(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    let mut words = vec![cursor.keyword()?];
    while !cursor.is_empty() {
        cursor.space()?;
        words.push(cursor.keyword()?);
    }
    Ok(words)
}

/// RFC 2971: what it says of itself is read, and not kept.
fn id(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    if cursor.peek() != Some(b'(') {
        cursor.keyword()?;
        return Ok(Command::Id);
    }
    cursor.list(|cursor| match cursor.peek() {
        Some(b'"' | b'{') => cursor.string().map(drop),
        _ => cursor.atom().map(drop),
    })?;
    Ok(Command::Id)
}

/// RFC 9051 §6.2.2: in base64, `=` where it is empty.
fn initial_response(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, Bad> {
    cursor.space()?;
    let text = cursor.atom()?;
    decode(text.as_bytes())
}

/// Base64 as it is in SASL (RFC 4422 §4).
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, Bad> {
    match text {
        b"=" => Ok(Vec::new()),
        text => data_encoding::BASE64.decode(text).map_err(|_| Bad("This is not base64")),
    }
}

/// RFC 7162 §3.1.8.
fn condstore(cursor: &mut Cursor<'_>) -> Result<bool, Bad> {
    if cursor.is_empty() {
        return Ok(false);
    }
    cursor.space()?;
    let parameters = cursor.list(|cursor| cursor.keyword())?;
    match parameters.iter().all(|parameter| parameter == "CONDSTORE") {
        true => Ok(!parameters.is_empty()),
        false => Err(Bad("There is no such parameter")),
    }
}

fn list(cursor: &mut Cursor<'_>) -> Result<List, Bad> {
    let mut list = List::default();
    if cursor.peek() == Some(b'(') {
        for option in cursor.list(|cursor| cursor.keyword())? {
            match option.as_str() {
                "SUBSCRIBED" => list.subscribed = true,
                "SPECIAL-USE" => list.special = true,
                // There are no others' folders here, and each folder has those above it.
                "REMOTE" | "RECURSIVEMATCH" => {}
                _ => return Err(Bad("There is no such option")),
            }
        }
        cursor.space()?;
    }
    list.reference = cursor.astring()?;
    cursor.space()?;
    list.patterns = match cursor.peek() {
        Some(b'(') => cursor.list(|cursor| cursor.pattern())?,
        _ => vec![cursor.pattern()?],
    };
    if !cursor.is_empty() {
        cursor.space()?;
        if cursor.keyword()? != "RETURN" {
            return Err(Bad("There is no such option"));
        }
        cursor.space()?;
        let options = cursor.list(|cursor| match cursor.keyword()?.as_str() {
            "STATUS" => {
                cursor.space()?;
                cursor.list(status_item)
            }
            // These are told anyway.
            "SUBSCRIBED" | "CHILDREN" | "SPECIAL-USE" => Ok(Vec::new()),
            _ => Err(Bad("There is no such option")),
        })?;
        list.status = options.into_iter().flatten().collect();
    }
    Ok(list)
}

fn status_item(cursor: &mut Cursor<'_>) -> Result<StatusItem, Bad> {
    Ok(match cursor.keyword()?.as_str() {
        "MESSAGES" => StatusItem::Messages,
        "RECENT" => StatusItem::Recent,
        "UIDNEXT" => StatusItem::UidNext,
        "UIDVALIDITY" => StatusItem::UidValidity,
        "UNSEEN" => StatusItem::Unseen,
        "DELETED" => StatusItem::Deleted,
        "SIZE" => StatusItem::Size,
        "HIGHESTMODSEQ" => StatusItem::HighestModseq,
        _ => return Err(Bad("This cannot be told of a folder")),
    })
}

/// A flag with its backslash, or a keyword.
fn flag_word(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    let system = cursor.eat(b'\\');
    let word = cursor.atom()?;
    Ok(if system { format!("\\{word}") } else { word })
}

/// Flags and keywords. `\Recent` is the server's to say.
fn flags(words: Vec<String>) -> Result<(MailFlags, Vec<String>), Bad> {
    let (mut flags, mut keywords) = (MailFlags::default(), Vec::new());
    for word in words {
        let Some(system) = word.strip_prefix('\\') else {
            let fits = word.len() <= rookery_store::limits::KEYWORD_BYTES && word.is_ascii();
            if !fits {
                return Err(Bad("This is no keyword"));
            }
            keywords.push(word);
            continue;
        };
        flags = flags
            | match system.to_ascii_uppercase().as_str() {
                "SEEN" => MailFlags::SEEN,
                "ANSWERED" => MailFlags::ANSWERED,
                "FLAGGED" => MailFlags::FLAGGED,
                "DELETED" => MailFlags::DELETED,
                "DRAFT" => MailFlags::DRAFT,
                _ => return Err(Bad("There is no such flag")),
            };
    }
    Ok((flags, keywords))
}

fn append(cursor: &mut Cursor<'_>) -> Result<AppendWhat, Bad> {
    let name = folder(cursor)?;
    cursor.space()?;
    let (mut said, mut at) = (Vec::new(), None);
    if cursor.peek() == Some(b'(') {
        said = cursor.list(flag_word)?;
        cursor.space()?;
    }
    if cursor.peek() == Some(b'"') {
        at = Some(date_time(&cursor.text()?)?);
        cursor.space()?;
    }
    let mail = cursor.literal()?.to_vec();
    let (flags, keywords) = flags(said)?;
    Ok(AppendWhat { name, flags, keywords, at, mail })
}

fn on(name: &str, cursor: &mut Cursor<'_>, by_uid: bool) -> Result<Command, Bad> {
    let set = Set::parse(cursor)?;
    cursor.space()?;
    let deed = match name {
        "FETCH" => {
            let (items, changed_since) = fetch::parse(cursor, by_uid)?;
            Deed::Fetch { items, changed_since }
        }
        "STORE" => store(cursor)?,
        _ => Deed::Copy { to: folder(cursor)?, moving: name == "MOVE" },
    };
    Ok(Command::On { set, deed, by_uid })
}

fn store(cursor: &mut Cursor<'_>) -> Result<Deed, Bad> {
    let mut unchanged_since = None;
    if cursor.peek() == Some(b'(') {
        let since = cursor.list(|cursor| match cursor.keyword()?.as_str() {
            "UNCHANGEDSINCE" => {
                cursor.space()?;
                cursor.number()
            }
            _ => Err(Bad("There is no such parameter")),
        })?;
        unchanged_since = since.last().copied();
        cursor.space()?;
    }
    let how = match cursor.peek() {
        Some(b'+') => FlagsHow::Add,
        Some(b'-') => FlagsHow::Remove,
        _ => FlagsHow::Replace,
    };
    if how != FlagsHow::Replace {
        cursor.eat(b'+');
        cursor.eat(b'-');
    }
    let silent = match cursor.keyword()?.as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(Bad("Only flags can be stored")),
    };
    cursor.space()?;
    let mut words = match cursor.peek() {
        Some(b'(') => cursor.list(flag_word)?,
        _ => vec![flag_word(cursor)?],
    };
    while !cursor.is_empty() && words.len() < super::limits::ITEMS {
        cursor.space()?;
        words.push(flag_word(cursor)?);
    }
    let (flags, keywords) = flags(words)?;
    Ok(Deed::Store { change: FlagsChange { how, flags, keywords, unchanged_since }, silent })
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `date-text`: `1-Feb-1994`.
fn date(text: &str) -> Result<Date, Bad> {
    let bad = Bad("This is no date");
    let mut parts = text.trim_start().splitn(3, '-');
    let mut part = || parts.next().ok_or(bad);
    let (day, month, year) = (part()?, part()?, part()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month)).ok_or(bad)?;
    let month = Month::try_from(month as u8 + 1).map_err(|_| bad)?;
    let day = day.parse().map_err(|_| bad)?;
    if year.len() != 4 {
        return Err(bad);
    }
    Date::from_calendar_date(year.parse().map_err(|_| bad)?, month, day).map_err(|_| bad)
}

/// `date-time`: `" 1-Feb-1994 12:00:00 +0100"`, as milliseconds since 1970.
fn date_time(text: &str) -> Result<i64, Bad> {
    let bad = Bad("This is no date with time");
    let mut parts = text.trim_start().split(' ');
    let mut part = || parts.next().ok_or(bad);
    let (day, clock, zone) = (date(part()?)?, part()?, part()?);
    let mut numbers = clock.split(':').map(|number| number.parse::<u8>().map_err(|_| bad));
    let mut number = || numbers.next().unwrap_or(Err(bad));
    let clock = Time::from_hms(number()?, number()?, number()?).map_err(|_| bad)?;
    let (sign, digits) = zone.split_at_checked(1).ok_or(bad)?;
    let minutes: i32 = digits.parse().map_err(|_| bad)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return Err(bad),
    };
    let offset = UtcOffset::from_whole_seconds(sign * (minutes / 100 * 3_600 + minutes % 100 * 60));
    let at = PrimitiveDateTime::new(day, clock).assume_offset(offset.map_err(|_| bad)?);
    Ok(at.unix_timestamp() * 1_000)
}

/// A time as `INTERNALDATE` has it.
pub(super) fn written_date(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let month = MONTHS[u8::from(at.month()) as usize - 1];
    let (hour, minute, second) = at.to_hms();
    format!("{:2}-{month}-{:04} {hour:02}:{minute:02}:{second:02} +0000", at.day(), at.year())
}

#[cfg(test)]
mod tests;
