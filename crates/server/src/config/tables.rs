//! Settings that are lists of tables: components and services; and the fields of the contact form.

use rookery_core::component::Allowed;
use rookery_core::xep::extdisco::{Key, Service};
use rookery_proto::xml::Limits;
use toml::de::{DeTable, DeValue};

use super::Config;
use super::value::{self, Read};

/// Longest validity of the credentials that are made for a service: a week.
const MAX_HOURS: u64 = 168;

/// The tables of a list, each of which may have these keys and no others.
pub(super) fn tables<T>(
    value: &DeValue<'_>,
    keys: &[&str],
    read: impl Fn(&Table<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let wrong = || "these must be tables in double brackets.".to_owned();
    let items = value.as_array().ok_or_else(wrong)?;
    let one = |item: &DeValue<'_>| {
        let table = item.as_table().ok_or_else(wrong)?;
        match table.keys().find(|key| !keys.contains(&&**key.get_ref())) {
            Some(key) => Err(format!("there is no `{}` in it, only {}.", key.get_ref(), keys.join(", "))),
            None => read(&Table(table)),
        }
    };
    items.iter().map(|item| one(item.get_ref())).collect()
}

/// One table of a list.
pub(super) struct Table<'a>(&'a DeTable<'a>);

impl Table<'_> {
    pub(super) fn get<T>(&self, key: &str, read: impl Fn(&DeValue<'_>) -> Read<T>) -> Read<Option<T>> {
        let value = self.0.iter().find(|(known, _)| known.get_ref() == key).map(|(_, value)| value.get_ref());
        value.map(read).transpose().map_err(|what| format!("`{key}`: {what}"))
    }

    pub(super) fn text(&self, key: &str) -> Read<Option<String>> {
        let full = |value: &DeValue<'_>| {
            let text = value::text(value)?;
            if text.is_empty() { Err("this must not be empty.".to_owned()) } else { Ok(text.to_owned()) }
        };
        self.get(key, full)
    }

    /// An error if it has one of these keys, which are for providers and the like that speak something else.
    pub(super) fn has_none_of(&self, keys: &[&str], what: &str) -> Read<()> {
        match self.0.keys().find(|key| keys.contains(&&**key.get_ref())) {
            Some(key) => Err(format!("`{}` is for {what} only.", key.get_ref())),
            None => Ok(()),
        }
    }

    pub(super) fn required(&self, key: &str) -> Read<String> {
        self.text(key)?.ok_or_else(|| format!("`{key}` is missing in a table."))
    }
}

/// `[[component]]`
pub(super) fn components(value: &DeValue<'_>) -> Read<Vec<Allowed>> {
    tables(value, &["host", "secret", "stanza_bytes"], |table| {
        let bytes = table.get("stanza_bytes", |value| value::number(value, 10_000..=1_048_576))?;
        Ok(Allowed {
            host: value::domain(&table.required("host")?)?,
            secret: table.required("secret")?,
            stanza_bytes: bytes.unwrap_or(Limits::authenticated().stanza_bytes),
        })
    })
}

/// `[[service]]`
pub(super) fn services(value: &DeValue<'_>) -> Read<Vec<Service>> {
    let keys = ["type", "host", "port", "transport", "name", "username", "password", "secret", "hours"];
    tables(value, &keys, |table| {
        let hours = table.get("hours", |value| value::number::<u32>(value, 1..=MAX_HOURS))?;
        let key = match (table.text("username")?, table.text("password")?, table.text("secret")?) {
            (None, None, None) => Key::None,
            (Some(username), Some(password), None) => Key::Fixed { username, password },
            (None, None, Some(secret)) => Key::Shared { secret, seconds: 3600 * hours.unwrap_or(24) },
            _ => {
                return Err(
                    "a service has `username` and `password`, or `secret`, or none of them.".to_owned()
                );
            }
        };
        Ok(Service {
            kind: table.required("type")?,
            host: table.required("host")?,
            port: table.get("port", |value| value::number(value, 1..=65_535))?,
            transport: table.text("transport")?,
            name: table.text("name")?,
            key,
        })
    })
}

/// One field of the contact form (XEP-0157), if it has addresses.
pub(super) fn contact(config: &mut Config, field: &'static str, value: &DeValue<'_>) -> Read<()> {
    let uris = value::uris(value)?;
    config.contacts.retain(|(known, _)| *known != field);
    if !uris.is_empty() {
        config.contacts.push((field, uris));
    }
    Ok(())
}
