//! `[archive]`

use rookery_store::ArchiveDefault;

use super::super::value;
use super::{Section, Setting, YEARS_100, put};

pub(super) const SECTION: Section = Section {
    name: "archive",
    about: "What is kept of messages.",
    settings: &[
        Setting {
            key: "archive.default",
            default: "\"always\"",
            about: "What is archived of who has not decided in their client. \"always\": everything. \"roster\": only what \
                comes from or goes to contacts. \"never\": nothing; messages are still kept until they are delivered.",
            set: |config, value| {
                let defaults = [
                    ("always", ArchiveDefault::Always),
                    ("roster", ArchiveDefault::Roster),
                    ("never", ArchiveDefault::Never),
                ];
                put(&mut config.archive_default, value::choice(value, &defaults))
            },
        },
        Setting {
            key: "archive.retention_days",
            default: "0",
            about: "Days after which messages are deleted; 0 keeps them forever.",
            set: |config, value| {
                let days = value::number(value, 0..=YEARS_100)?;
                put(&mut config.retention_days, Ok(Some(days).filter(|days| *days > 0)))
            },
        },
    ],
};
