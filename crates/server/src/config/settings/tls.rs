//! `[tls]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "tls",
    about: "The certificate. Without one a local certificate is made in the data directory.",
    settings: &[
        Setting {
            key: "tls.certificate",
            default: "\"\"",
            about: "The certificate chain as a PEM file, the server's own certificate first. It must be valid for the \
                domain. The file is looked at each minute and on SIGHUP, and a new one is taken without a restart; a \
                bad one is reported in the log, and the old one stays.",
            set: |config, value| put(&mut config.tls_certificate, value::file(value)),
        },
        Setting {
            key: "tls.key",
            default: "\"\"",
            about: "The key of the certificate as a PEM file, readable for the server's user only.",
            set: |config, value| put(&mut config.tls_key, value::file(value)),
        },
    ],
};
