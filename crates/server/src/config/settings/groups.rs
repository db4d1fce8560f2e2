//! `[groups]`

use super::super::value;
use super::{Section, Setting, YEARS_100, host, put};

pub(super) const SECTION: Section = Section {
    name: "groups",
    about: "Rooms in which many speak with each other (XEP-0045).",
    settings: &[
        Setting {
            key: "groups.host",
            default: "\"\"",
            about: "The host that groups live at, as in 700001@groups.example.org. When it is empty, that is groups. before the \
                domain. Choose it before the first group is made: addresses do not move.",
            set: |config, value| put(&mut config.groups_host, host(value)),
        },
        Setting {
            key: "groups.retention_days",
            default: "0",
            about: "Days after which what was said in groups is deleted from their archives; 0 keeps it as long as all else. A \
                group's owner may choose fewer.",
            set: |config, value| {
                let days = value::number(value, 0..=YEARS_100)?;
                put(&mut config.group_retention_days, Ok(Some(days).filter(|days| *days > 0)))
            },
        },
    ],
};
