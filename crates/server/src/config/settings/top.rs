//! What stands before the first table.

use super::super::tables;
use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "",
    about: "What everything else stands on, and lists of tables.",
    settings: &[
        Setting {
            key: "domain",
            default: "\"localhost\"",
            about: "The domain that accounts live at, as in 10001@example.org. Choose it before the first account is \
                made: addresses do not move.",
            set: |config, value| put(&mut config.domain, value::text(value).and_then(value::domain)),
        },
        Setting {
            key: "data",
            default: "\"./rookery-data\"",
            about: "The data directory: accounts, messages, the local certificate and the socket for `rookery` commands. \
                A path that does not begin with / is seen from where the server is started.",
            set: |config, value| {
                put(
                    &mut config.data,
                    value::file(value)?.ok_or_else(|| "this must name a folder.".to_owned()),
                )
            },
        },
        Setting {
            key: "component",
            default: "[]",
            about: "External components (XEP-0114): other programs that serve a host beside this one, such as gateways. Each \
                is a table [[component]] at the end of the file, with host (\"irc.example.org\") and secret, and perhaps \
                stanza_bytes, if not as for clients.",
            set: |config, value| put(&mut config.components, tables::components(value)),
        },
        Setting {
            key: "service",
            default: "[]",
            about: "External services that clients are told of (XEP-0215), such as STUN and TURN for calls. Each is a table \
                [[service]] at the end of the file, with type (\"turn\") and host, and perhaps port, transport (\"udp\") \
                and name. With secret, clients get credentials for so many hours (24) that a TURN server with the same \
                shared secret accepts; with username and password all get these.",
            set: |config, value| put(&mut config.services, tables::services(value)),
        },
    ],
};
