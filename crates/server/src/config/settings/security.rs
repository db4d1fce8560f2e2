//! `[security]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "security",
    about: "How clients sign in.",
    settings: &[
        Setting {
            key: "security.allow_plain_connections",
            default: "false",
            about: "Whether clients may sign in without TLS. Passwords and messages can then be read on the way: only for \
                tests, or behind something that encrypts.",
            set: |config, value| put(&mut config.allow_plain_connections, value::boolean(value)),
        },
        Setting {
            key: "security.scram_iterations",
            default: "10000",
            about: "Rounds of hashing for new passwords. More make a stolen database harder to guess, and each sign-in \
                slower, on phones too. Passwords that exist keep theirs.",
            set: |config, value| put(&mut config.scram_iterations, value::number(value, 4096..=1_000_000)),
        },
        Setting {
            key: "security.second_factor",
            default: "false",
            about: "Whether administrators need a second factor, an application that makes codes, before they can administer the \
                server from a client. Without this, each of them decides for the own account.",
            set: |config, value| put(&mut config.second_factor, value::boolean(value)),
        },
    ],
};
