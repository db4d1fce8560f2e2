//! `[limits]`

use std::time::Duration;

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "limits",
    about: "What one client, and all of them, may take.",
    settings: &[
        Setting {
            key: "limits.resumption_minutes",
            default: "10",
            about: "How long a session waits for a client that lost its connection, before others see it as gone. Messages \
                are safe either way.",
            set: |config, value| {
                let minutes: u64 = value::number(value, 1..=1440)?;
                put(&mut config.resumption, Ok(Duration::from_secs(60 * minutes)))
            },
        },
        Setting {
            key: "limits.stanza_bytes",
            default: "262144",
            about: "The largest stanza that a client may send. Avatars need some 200 KB; files do not go this way.",
            set: |config, value| put(&mut config.stanza_bytes, value::number(value, 65_536..=1_048_576)),
        },
        Setting {
            key: "limits.connections",
            default: "50000",
            about: "Connections at a time. Each needs a file descriptor: see `ulimit -n`, or LimitNOFILE of systemd.",
            set: |config, value| put(&mut config.connections, value::number(value, 1..=10_000_000)),
        },
        Setting {
            key: "limits.connections_per_address",
            default: "500",
            about: "Connections of one network address at a time; many people can share one. A trusted proxy is not \
                counted, but who comes through it is.",
            set: |config, value| {
                put(&mut config.connections_per_address, value::number(value, 1..=10_000_000))
            },
        },
        Setting {
            key: "limits.messages_per_second",
            default: "50",
            about: "Messages that an account may send in a second, in the long run, and for twenty seconds at once: what a device \
                catches up with after a gap. Above it messages are refused with an error that says when to try again. 0: no \
                limit. `rookery account unlimited` takes bots and bridges out of this limit and the next three.",
            set: |config, value| {
                put(&mut config.pace.messages_per_second, value::number(value, 0..=1_000_000))
            },
        },
        Setting {
            key: "limits.strangers_per_hour",
            default: "60",
            about: "People who do not know an account, that it may write to for the first time in an hour: nobody does by hand what \
                spam needs. To answer, and to write again, is free. 0: no limit.",
            set: |config, value| {
                put(&mut config.pace.strangers_per_hour, value::number(value, 0..=1_000_000))
            },
        },
        Setting {
            key: "limits.strangers_per_day",
            default: "200",
            about: "The same in a day.",
            set: |config, value| put(&mut config.pace.strangers_per_day, value::number(value, 0..=1_000_000)),
        },
        Setting {
            key: "limits.subscriptions_per_hour",
            default: "100",
            about: "Contacts that an account may ask for in an hour, and twice as many at once: who moves here brings a contact list. \
                0: no limit.",
            set: |config, value| {
                put(&mut config.pace.subscriptions_per_hour, value::number(value, 0..=1_000_000))
            },
        },
    ],
};
