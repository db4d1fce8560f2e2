//! `[reach]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "reach",
    about: "Telling people who are not here what waits for them, by the ways out that are configured: docs/reach.md.",
    settings: &[
        Setting {
            key: "reach.per_account",
            default: "20",
            about: "How many mails, short messages and pages may be sent in a day to reach one account. 0 switches it off.",
            set: |config, value| put(&mut config.reach_per_account, value::number(value, 0..=10_000)),
        },
        Setting {
            key: "reach.per_server",
            default: "1000",
            about: "How many may be sent in a day to reach all accounts, as each may cost money.",
            set: |config, value| put(&mut config.reach_per_server, value::number(value, 0..=10_000_000)),
        },
    ],
};
