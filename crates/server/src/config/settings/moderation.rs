//! `[moderation]`

use std::time::Duration;

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "moderation",
    about: "Block lists of others, and a program of yours that judges messages.",
    settings: &[
        Setting {
            key: "moderation.lists",
            default: "[]",
            about: "Block lists that services publish (real-time block lists), as [\"rtbl.example.org/muc_bans_sha256\"]: the \
                service and its node. Today a service can be a component. Who is on a list is refused as a stranger.",
            set: |config, value| put(&mut config.lists, value::lists(value)),
        },
        Setting {
            key: "moderation.list_files",
            default: "[]",
            about: "Block lists in files: on each line an address, a domain, or the SHA-256 of one in hexadecimal; # begins a \
                comment. They are looked at each minute, and taken again when they have changed.",
            set: |config, value| put(&mut config.list_files, value::files(value)),
        },
        Setting {
            key: "moderation.hook",
            default: "\"\"",
            about: "The Unix socket of a program that is asked about messages before they are stored; see the page on moderation.",
            set: |config, value| put(&mut config.hook, value::file(value)),
        },
        Setting {
            key: "moderation.hook_about",
            default: "\"strangers\"",
            about: "\"strangers\": only messages from people whom the recipient does not know. \"all\": every message between accounts.",
            set: |config, value| {
                put(&mut config.hook_about_all, value::choice(value, &[("strangers", false), ("all", true)]))
            },
        },
        Setting {
            key: "moderation.hook_milliseconds",
            default: "2000",
            about: "How long the program may take for an answer.",
            set: |config, value| {
                put(&mut config.hook_patience, value::number(value, 10..=60_000).map(Duration::from_millis))
            },
        },
        Setting {
            key: "moderation.hook_silent",
            default: "\"refuse\"",
            about: "What becomes of a message when the program does not answer in time, or is not there: \"refuse\" it, with an \
                error that says to try again later, or \"allow\" it.",
            set: |config, value| {
                put(&mut config.hook_fails_open, value::choice(value, &[("refuse", false), ("allow", true)]))
            },
        },
    ],
};
