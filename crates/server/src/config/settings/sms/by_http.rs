//! Providers of short messages that speak HTTP: how a message is a request, and how what they post is read.

use axum::http::{HeaderName, HeaderValue, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_gateway::sms::http::answer::{Place, Reads};
use rookery_gateway::sms::http::{Fields, Hook, Kind, Method, Settings, Signature, Template};
use toml::de::DeValue;
use url::Url;

use super::super::super::tables::Table;
use super::super::super::value::{self, Read};

/// What only these may have.
pub(super) const KEYS: [&str; 18] = [
    "method",
    "headers",
    "body",
    "format",
    "answer_id",
    "answer_error",
    "hook_token",
    "hook_secret",
    "hook_header",
    "hook_timestamp",
    "hook_signed",
    "hook_from",
    "hook_to",
    "hook_text",
    "hook_id",
    "hook_receipt",
    "hook_state",
    "hook_why",
];

/// Letters of a token: what nobody guesses.
const TOKEN: usize = 16;

pub(super) fn read(table: &Table<'_>, url: &str, sender: String, window: usize) -> Read<Settings> {
    let kinds = [("json", Kind::Json), ("form", Kind::Form), ("text", Kind::Text)];
    let methods = [("POST", Method::Post), ("GET", Method::Get), ("PUT", Method::Put)];
    let (url, login) = address(url).map_err(|what| format!("`url`: {what}"))?;
    let mut headers =
        table.get("headers", |value| value::list(value, "headers", header))?.unwrap_or_default();
    headers.extend(login);
    let body = table.text("body")?.unwrap_or_default();
    let kind = table.get("format", |value| value::choice(value, &kinds))?;
    let usual = if body.is_empty() { Method::Get } else { Method::Post };
    let method = table.get("method", |value| value::choice(value, &methods))?.unwrap_or(usual);
    if method == Method::Get && !body.is_empty() {
        return Err("`body`: a request by GET has none.".to_owned());
    }
    let template = Template { method, url, headers, body, kind: kind.unwrap_or(Kind::Json) };
    if !template.is_whole() {
        return Err("`url` and `body`: {text}, and {to} or {number}, must stand in one of them.".to_owned());
    }
    let place = |key: &str| table.get(key, |value| place(value::text(value)?));
    let reads = Reads { id: place("answer_id")?, error: place("answer_error")? };
    Ok(Settings { template, reads, sender, window, hook: hook(table)? })
}

/// Where messages are posted to, without the login that may stand in it: that is a header (RFC 7617).
fn address(text: &str) -> Read<(String, Option<(String, String)>)> {
    let wrong =
        || format!("{text:?} is no address, such as \"https://user:password@sms.example/send?to={{to}}\".");
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (login, host) =
        authority.rsplit_once('@').map_or((None, authority), |(login, host)| (Some(login), host));
    // Where it leads to is the operator's to say, not the message's.
    if host.is_empty() || host.contains('{') {
        return Err(wrong());
    }
    let url = format!("{scheme}://{host}{path}");
    // As it is once something stands in the place of all braces.
    let filled = url.replace(['{', '}'], "");
    if filled.parse::<Uri>().is_err() || Url::parse(&filled).is_err() {
        return Err(wrong());
    }
    let header = |login: &str| {
        let login = value::unescaped(login).filter(|login| login.contains(':')).ok_or_else(wrong)?;
        Ok::<_, String>(("authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(login))))
    };
    Ok((url, login.map(header).transpose()?))
}

/// `Name: value`
fn header(text: &str) -> Read<(String, String)> {
    let parts = text.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
    parts
        .filter(|(name, value)| name.parse::<HeaderName>().is_ok() && value.parse::<HeaderValue>().is_ok())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .ok_or_else(|| "one is not of the form \"Authorization: Bearer secret\".".to_owned())
}

fn place(text: &str) -> Read<Place> {
    let wrong = || {
        format!(
            "{text:?} is neither a place in JSON, such as \"/messages/0/id\", nor \"text:\" and how a text begins."
        )
    };
    Place::new(text).ok_or_else(wrong)
}

/// What it posts to us; `None`: nothing.
fn hook(table: &Table<'_>) -> Read<Option<Hook>> {
    let token = table.text("hook_token")?;
    if token.as_ref().is_some_and(|token| !is_token(token)) {
        return Err(format!(
            "`hook_token`: this is at least {TOKEN} letters and digits that nobody guesses."
        ));
    }
    let signature = signature(table)?;
    let pointers = |key: &str| Ok::<_, String>(table.get(key, pointers)?.unwrap_or_default());
    let fields = Fields {
        from: pointers("hook_from")?,
        to: pointers("hook_to")?,
        text: pointers("hook_text")?,
        id: pointers("hook_id")?,
        receipt: pointers("hook_receipt")?,
        state: pointers("hook_state")?,
        why: pointers("hook_why")?,
    };
    let proves = token.is_some() || signature.is_some();
    if fields == Fields::default() {
        return if proves {
            Err("it says nowhere what stands where in what it posts: hook_text, hook_from, …".to_owned())
        } else {
            Ok(None)
        };
    }
    if !proves {
        return Err("`hook_token` or `hook_secret` is missing: anybody could post.".to_owned());
    }
    if fields.text.is_empty() != fields.from.is_empty()
        || fields.receipt.is_empty() != fields.state.is_empty()
    {
        return Err(
            "`hook_text` and `hook_from` belong together, and so do `hook_receipt` and `hook_state`."
                .to_owned(),
        );
    }
    Ok(Some(Hook { token, signature, fields }))
}

fn is_token(text: &str) -> bool {
    text.len() >= TOKEN && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn signature(table: &Table<'_>) -> Read<Option<Signature>> {
    let header = |key: &str| {
        table.get(key, |value| {
            let name = value::text(value)?;
            name.parse::<HeaderName>()
                .map(|name| name.as_str().to_owned())
                .map_err(|_| format!("{name:?} is no header."))
        })
    };
    let (name, timestamp) = (header("hook_header")?, header("hook_timestamp")?);
    let signed = table.text("hook_signed")?;
    let Some(secret) = table.text("hook_secret")? else {
        return match (name, timestamp, signed) {
            (None, None, None) => Ok(None),
            _ => Err("`hook_secret` is missing: it is what a signature is made with.".to_owned()),
        };
    };
    let timestamp = timestamp.unwrap_or_default();
    let usual = if timestamp.is_empty() { "{body}" } else { "{body}{timestamp}" };
    let signed = signed.unwrap_or_else(|| usual.to_owned());
    if !signed.contains("{body}") || signed.contains("{timestamp}") == timestamp.is_empty() {
        return Err(
            "`hook_signed`: {body} must stand in it, and {timestamp} if there is a `hook_timestamp`."
                .to_owned(),
        );
    }
    let header = name.ok_or("`hook_header` is missing: the header that has the signature.")?;
    Ok(Some(Signature { secret, header, timestamp, signed }))
}

/// One pointer or several.
fn pointers(value: &DeValue<'_>) -> Read<Vec<String>> {
    let one = |text: &str| match text.starts_with('/') {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} is no place in JSON, such as \"/payload/message\".")),
    };
    match value.as_str() {
        Some(text) => Ok(vec![one(text)?]),
        None => value::list(value, "places in JSON", one),
    }
}
