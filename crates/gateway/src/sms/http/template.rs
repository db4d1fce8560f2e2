//! A message as a request: what the operator wrote, with the message put in where it says so.

use super::Request;
use rookery_core::accounts::percent_encoded;

/// What can stand in a template, in braces. Other braces are what they are, as in JSON.
pub const PLACEHOLDERS: [&str; 5] = ["to", "number", "text", "sender", "id"];

/// How a request is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// As it is.
    pub method: Method,
    /// An address of http or https, with placeholders.
    pub url: String,
    /// Names and values, as they are.
    pub headers: Vec<(String, String)>,
    /// With placeholders; empty: there is none.
    pub body: String,
    /// In what the body is written.
    pub kind: Kind,
}

/// RFC 9110 §9.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// The message is in the address.
    Get,
    /// The usual one.
    Post,
    /// Some want this.
    Put,
}

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        }
    }
}

/// In what a body is written, which says how something is put into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// JSON (RFC 8259); placeholders stand inside of quotation marks.
    Json,
    /// A form (`application/x-www-form-urlencoded`).
    Form,
    /// As it is.
    Text,
}

impl Kind {
    fn media_type(self) -> &'static str {
        match self {
            Kind::Json => "application/json",
            Kind::Form => "application/x-www-form-urlencoded",
            Kind::Text => "text/plain; charset=utf-8",
        }
    }

    fn escaped(self, value: &str) -> String {
        match self {
            Kind::Json => json(value),
            Kind::Form => percent_encoded(value),
            Kind::Text => value.to_owned(),
        }
    }
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// To whom, in canonical form.
    pub to: &'a str,
    /// What it says.
    pub text: &'a str,
    /// From whom.
    pub sender: &'a str,
    /// Names it among all that we send.
    pub id: u64,
}

impl Template {
    /// Whether it says what a message says, and to whom.
    pub fn is_whole(&self) -> bool {
        let has = |name: &str| {
            let place = format!("{{{name}}}");
            self.url.contains(&place) || self.body.contains(&place)
        };
        has("text") && (has("to") || has("number"))
    }

    /// The request of a message.
    pub fn request(&self, message: &Filling<'_>) -> Request {
        let mut headers = self.headers.clone();
        let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !self.body.is_empty() && !typed {
            headers.push(("content-type".to_owned(), self.kind.media_type().to_owned()));
        }
        Request {
            method: self.method,
            url: filled(&self.url, message, percent_encoded),
            headers,
            body: filled(&self.body, message, |value| self.kind.escaped(value)),
        }
    }
}

/// A template with a message in it. What is put in is not looked through for placeholders.
fn filled(template: &str, message: &Filling<'_>, escaped: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(template.len() + message.text.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let place = PLACEHOLDERS.into_iter().find_map(|name| {
            let behind = after.strip_prefix(name)?.strip_prefix('}')?;
            Some((name, behind))
        });
        match place {
            Some((name, behind)) => {
                out.push_str(&escaped(&value(name, message)));
                rest = behind;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

fn value(name: &str, message: &Filling<'_>) -> String {
    match name {
        "to" => message.to.to_owned(),
        "number" => message.to.trim_start_matches('+').to_owned(),
        "text" => message.text.to_owned(),
        "sender" => message.sender.to_owned(),
        _ => message.id.to_string(),
    }
}

/// What stands between the quotation marks of a JSON text.
fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
