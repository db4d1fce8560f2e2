//! `[previews]`

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "previews",
    about: "What is shown of links in messages: docs/previews.md.",
    settings: &[Setting {
        key: "previews.enabled",
        default: "true",
        about: "Whether the server fetches pages that people link to, and shows what they say of themselves. Only public pages \
                are fetched, so it needs a way out to ports 80 and 443; the sites see this server's address, and not those of its people.",
        set: |config, value| put(&mut config.previews, value::boolean(value)),
    }],
};
