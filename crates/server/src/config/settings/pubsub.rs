//! `[pubsub]`

use rookery_core::xep::pep::Creators;

use super::super::value;
use super::{Section, Setting, host, put};

pub(super) const SECTION: Section = Section {
    name: "pubsub",
    about: "The publish-subscribe service (XEP-0060): docs/pubsub.md.",
    settings: &[
        Setting {
            key: "pubsub.enabled",
            default: "true",
            about: "Whether there is a service at which members make nodes, such as feeds. What it keeps stays kept while it is \
                off. What people keep in their own accounts has nothing to do with it.",
            set: |config, value| put(&mut config.pubsub_enabled, value::boolean(value)),
        },
        Setting {
            key: "pubsub.host",
            default: "\"\"",
            about: "The host of the service. When it is empty, that is pubsub. before the domain. Choose it before the first node \
                is made: addresses do not move.",
            set: |config, value| put(&mut config.pubsub_host, host(value)),
        },
        Setting {
            key: "pubsub.create",
            default: "\"members\"",
            about: "Who may make nodes: \"members\", \"administrators\" or \"nobody\". Who has made one keeps it.",
            set: |config, value| {
                let creators = [
                    ("members", Creators::Members),
                    ("administrators", Creators::Administrators),
                    ("nobody", Creators::Nobody),
                ];
                put(&mut config.pubsub_create, value::choice(value, &creators))
            },
        },
    ],
};
