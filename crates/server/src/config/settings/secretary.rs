//! `[secretary]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "secretary",
    about: "Reminders, by talking to secretary@ the domain: docs/secretary.md.",
    settings: &[Setting {
        key: "secretary.enabled",
        default: "false",
        about: "Whether there is a secretary. Its address must be no account's.",
        set: |config, value| put(&mut config.secretary, value::boolean(value)),
    }],
};
