//! `[contact]`

use super::super::tables;
use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "contact",
    about: "Whom people can turn to; clients show it (XEP-0157).",
    settings: &[
        Setting {
            key: "contact.abuse",
            default: "[]",
            about: "Who is told of abuse: addresses such as \"mailto:abuse@example.org\" or \"xmpp:alice@example.org\".",
            set: |config, value| tables::contact(config, "abuse-addresses", value),
        },
        Setting {
            key: "contact.admin",
            default: "[]",
            about: "Who runs the server.",
            set: |config, value| tables::contact(config, "admin-addresses", value),
        },
        Setting {
            key: "contact.feedback",
            default: "[]",
            about: "Who likes to hear what people think of it.",
            set: |config, value| tables::contact(config, "feedback-addresses", value),
        },
        Setting {
            key: "contact.sales",
            default: "[]",
            about: "Who sells what is sold here.",
            set: |config, value| tables::contact(config, "sales-addresses", value),
        },
        Setting {
            key: "contact.security",
            default: "[]",
            about: "Who is told of weaknesses.",
            set: |config, value| tables::contact(config, "security-addresses", value),
        },
        Setting {
            key: "contact.status",
            default: "[]",
            about: "Where people read how the server is doing.",
            set: |config, value| tables::contact(config, "status-addresses", value),
        },
        Setting {
            key: "contact.support",
            default: "[]",
            about: "Who helps.",
            set: |config, value| tables::contact(config, "support-addresses", value),
        },
        Setting {
            key: "contact.terms",
            default: "\"\"",
            about: "Where people read under which terms they use the server: one address. Clients are told it with what becomes of \
                their data (XEP-0504).",
            set: |config, value| put(&mut config.terms, value::uri(value)),
        },
        Setting {
            key: "contact.outage",
            default: "[]",
            about: "Where clients look what is wrong when the server is not there (XEP-0455): addresses of a JSON file on \
                another machine, such as \"https://status.example.net/example.org.json\".",
            set: |config, value| put(&mut config.outage, value::uris(value)),
        },
    ],
};
