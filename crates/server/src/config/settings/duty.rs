//! `[duty]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "duty",
    about: "Groups of people of whom one is on duty: docs/duty.md.",
    settings: &[Setting {
        key: "duty.enabled",
        default: "false",
        about: "Whether there are any. They are written to at the host \"duty.\" before the domain, and paged by their names.",
        set: |config, value| put(&mut config.duty, value::boolean(value)),
    }],
};
