//! `[http]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "http",
    about: "Browsers and applications in them: WebSocket and BOSH.",
    settings: &[
        Setting {
            key: "http.public_url",
            default: "\"\"",
            about: "The address under which a reverse proxy offers this server, such as \"https://example.org\". Clients are told \
                in /.well-known/host-meta. When it is empty, that is the domain with the port of `listen.https`.",
            set: |config, value| put(&mut config.http_public_url, value::base_url(value)),
        },
        Setting {
            key: "http.origins",
            default: "[]",
            about: "Pages of other sites that may connect from their visitors' browsers, such as \
                [\"https://web.example.com\"]; [\"*\"] lets all. Pages of this server and of the domain always may, and \
                so may what is no browser.",
            set: |config, value| put(&mut config.http_origins, value::origins(value)),
        },
        Setting {
            key: "http.trusted_proxies",
            default: "[\"127.0.0.1\", \"::1\"]",
            about: "Addresses or networks of reverse proxies. Only from them X-Forwarded-For and X-Forwarded-Proto are \
                believed: who connects through them may sign in if they say that it was by https.",
            set: |config, value| put(&mut config.http_trusted_proxies, value::networks(value)),
        },
        Setting {
            key: "http.internal_networks",
            default: "[]",
            about: "Addresses or networks that are not public and that people may nevertheless have this server ask by HTTP, such \
                as [\"10.1.0.0/16\"] with a push service of an intranet. Never this machine's own, if others trust it.",
            set: |config, value| put(&mut config.http_internal_networks, value::networks(value)),
        },
    ],
};
