//! `[log]`

use super::super::LogFormat;
use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "log",
    about: "What the server writes to its standard error.",
    settings: &[
        Setting {
            key: "log.level",
            default: "\"info\"",
            about: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"; for a part of the server alone \
                \"info,rookery::net=debug\". What people write to each other is never logged.",
            set: |config, value| {
                let level = value::text(value)?;
                let filter: Result<tracing_subscriber::filter::Targets, _> = level.parse();
                filter
                    .map_err(|_| "this must be a level such as \"info\", or \"info,rookery::net=debug\".")?;
                put(&mut config.log_level, Ok(level.to_owned()))
            },
        },
        Setting {
            key: "log.format",
            default: "\"text\"",
            about: "\"text\" for people, \"json\" for programs.",
            set: |config, value| {
                let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
                put(&mut config.log_format, value::choice(value, &formats))
            },
        },
    ],
};
