//! `[registration]`

use rookery_core::Registration;

use super::super::value;
use super::{Section, Setting, put};

pub(super) const SECTION: Section = Section {
    name: "registration",
    about: "Who may make an account with a client.",
    settings: &[
        Setting {
            key: "registration.mode",
            default: "\"invite\"",
            about: "\"closed\": only `rookery account create` makes accounts. \"invite\": so does who holds an invitation, of a \
                member's or of `rookery invite create`. \"review\": everybody can, within the limit below, and who has no invitation waits for an administrator. \
                \"open\": everybody can, within the limit below.",
            set: |config, value| {
                let modes = [
                    ("closed", Registration::Closed),
                    ("invite", Registration::Invite),
                    ("review", Registration::Review),
                    ("open", Registration::Open),
                ];
                put(&mut config.registration, value::choice(value, &modes))
            },
        },
        Setting {
            key: "registration.members_invite",
            default: "true",
            about: "Whether every member may invite people who have no account here, while `registration.mode` is \"invite\": one \
                person an invitation, a few in a week. Administrators always may. Members who invite each other \
                to be contacts need no permission.",
            set: |config, value| put(&mut config.members_invite, value::boolean(value)),
        },
        Setting {
            key: "registration.per_address_and_hour",
            default: "5",
            about: "Accounts that can be made from one network address in an hour. An IPv6 address counts as its /64.",
            set: |config, value| put(&mut config.registrations_per_hour, value::number(value, 1..=1_000_000)),
        },
        Setting {
            key: "registration.reserved_numbers",
            default: "[]",
            about: "Numbers that are not given out, such as [\"10050-10099\", \"11111\"].",
            set: |config, value| put(&mut config.reserved_numbers, value::number_ranges(value)),
        },
    ],
};
