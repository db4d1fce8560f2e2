//! `[listen]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "listen",
    about: "Where the server can be reached. An empty list switches off.",
    settings: &[
        Setting {
            key: "listen.c2s",
            default: "[\"[::]:5222\"]",
            about: "Clients that ask for TLS after they have connected (STARTTLS). [::] is every address of this machine, \
                of IPv4 too.",
            set: |config, value| put(&mut config.listen_c2s, value::addresses(value)),
        },
        Setting {
            key: "listen.c2s_tls",
            default: "[\"[::]:5223\"]",
            about: "Clients that connect with TLS (direct TLS).",
            set: |config, value| put(&mut config.listen_c2s_tls, value::addresses(value)),
        },
        Setting {
            key: "listen.http",
            default: "[\"127.0.0.1:5280\"]",
            about: "HTTP without TLS: WebSocket at /xmpp-websocket, BOSH at /http-bind. For browsers on this machine, and for a \
                reverse proxy that has the certificate.",
            set: |config, value| put(&mut config.listen_http, value::addresses(value)),
        },
        Setting {
            key: "listen.https",
            default: "[\"[::]:5443\"]",
            about: "The same with TLS and the server's own certificate.",
            set: |config, value| put(&mut config.listen_https, value::addresses(value)),
        },
        Setting {
            key: "listen.components",
            default: "[\"127.0.0.1:5347\"]",
            about: "External components. Nothing listens here as long as there is no [[component]]. The connection is not \
                encrypted: keep it on this machine or in a network that you trust.",
            set: |config, value| put(&mut config.listen_components, value::addresses(value)),
        },
        Setting {
            key: "listen.status",
            default: "[\"127.0.0.1:9280\"]",
            about: "HTTP for who watches the server: /metrics for Prometheus, /health and /ready. It has no password: keep \
                it on this machine or in a network that you trust.",
            set: |config, value| put(&mut config.listen_status, value::addresses(value)),
        },
    ],
};
