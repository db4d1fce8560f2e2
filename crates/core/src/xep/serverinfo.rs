//! What the server says of itself beyond its features (XEP-0128): contacts (XEP-0157), its software (XEP-0232), what becomes
//! of data (XEP-0504), and where to read what is wrong when it is not there (XEP-0455).

use super::{Xep, upload};
use crate::Policy;
use rookery_proto::form::{Field, Form, Kind};

/// XEP-0157.
pub const CONTACT: Xep = Xep::of(
    "XEP-0157",
    "Contact Addresses for XMPP Services",
    "1.1.1",
    "What the operator configures, in the server's disco information.",
);

/// XEP-0232.
pub const SOFTWARE: Xep = Xep::of(
    "XEP-0232",
    "Software Information",
    "0.3",
    "Name and version; the operating system is nobody's business.",
);

/// XEP-0455.
pub const OUTAGE: Xep =
    Xep::of("XEP-0455", "Service Outage Status", "0.4.0", "The addresses that the operator configures.");

/// XEP-0504.
pub const DATA_POLICY: Xep = Xep::of(
    "XEP-0504",
    "Data Policy",
    "0.1.0",
    "What follows from the configuration, and the operator's terms; nothing is said of backups and places, which the server \
     does not know.",
);

/// For how many hours messages are kept (XEP-0504 §3).
fn retention(days: Option<u32>) -> String {
    days.map_or("infinite".to_owned(), |days| (24 * u64::from(days)).to_string())
}

/// What becomes of what is said in a group that keeps it for so many days (XEP-0504 §3).
pub fn group_data_policy(days: Option<u32>) -> Form {
    let retention = Field::new(Kind::TextSingle, "data_retention", "").value(retention(days));
    Form::new(DATA_POLICY_FORM).field(retention)
}

const DATA_POLICY_FORM: &str = "urn:xmpp:data-policy:0";

/// What is so whatever the operator configures.
const _: () = assert!(rookery_store::limits::REPORT_KEPT_MS == 90 * 86_400_000);
const ALWAYS: [&str; 5] = [
    "Contacts, settings, published items, devices and registrations for push are kept until they are changed or the account is \
     deleted.",
    "Services for push are told that there is a message, and more only if its owner allows it.",
    "Messages that are reported as spam or abuse are kept with the report until it has been dealt with, and 90 days longer.",
    "What is not encrypted end to end can be read by who runs the server.",
    "The server's log has no messages in it.",
];

/// What becomes of uploaded files.
fn about_files(files: &upload::Files) -> Vec<String> {
    let unnamed = match files.unnamed_days {
        Some(days) => format!("A file that no message is seen to name goes after {days} days."),
        None => "A file that no message is seen to name stays until its account is deleted.".to_owned(),
    };
    let largest = upload::people(files.largest);
    let room = match files.quota.account {
        Some(most) => {
            format!("Each account has room for {} of files; one has {largest} at most.", upload::people(most))
        }
        None => format!("A file has {largest} at most."),
    };
    vec![
        "Files go with the last message that names them, pictures of profiles with the account.".to_owned(),
        unnamed,
        room,
    ]
}

/// What becomes of people's data (XEP-0504 §3). Only what is so whatever the operator does beside the server.
fn data_policy(policy: &Policy) -> Form {
    let one = |kind, var: &'static str, value: String| Field::new(kind, var, "").value(value);
    let flag = |var, value: bool| one(Kind::Boolean, var, value.to_string());
    let kept = match policy.retention_days {
        Some(days) => format!("Messages are kept for {days} days at most."),
        None => "Messages are kept until they are deleted.".to_owned(),
    };
    let own = "Everybody can have their own copy deleted sooner, and choose what is archived at all.";
    let mut info = vec![kept, own.to_owned()];
    info.extend(policy.files.iter().flat_map(about_files));
    info.extend(ALWAYS.map(str::to_owned));
    // §3.3: messages and files, at most. A file that no message names stays for a time of its own.
    let days = match &policy.files {
        Some(files) => policy.retention_days.zip(files.unnamed_days).map(|(one, other)| one.max(other)),
        None => policy.retention_days,
    };
    // In the order of their names.
    let form = Form::new(DATA_POLICY_FORM)
        .field(one(Kind::ListMulti, "access_policy", "admins".to_owned()))
        // With PLAIN and when signing up the server sees the password; it keeps keys only.
        .field(one(Kind::ListSingle, "auth_data", "plain".to_owned()))
        .field(flag("data_deletion", true))
        .field(flag("data_export", policy.public_url.is_some()))
        .field(one(Kind::TextSingle, "data_retention", retention(days)))
        .field(flag("encryption_at_rest", false))
        .field(Field::new(Kind::TextMulti, "extra_info", "").values(info))
        .field(flag("full_erasure", true));
    policy.terms.iter().fold(form, |form, uri| form.field(one(Kind::TextSingle, "tos", uri.clone())))
}

/// The forms, in the order of their types.
pub fn forms(policy: &Policy) -> Vec<Form> {
    let list = |var: &'static str, values: &[String]| Field::new(Kind::ListMulti, var, "").values(values);
    let text = |var: &'static str, value: &str| Field::new(Kind::TextSingle, var, "").value(value);
    let mut forms = Vec::new();
    if !policy.contacts.is_empty() {
        let form = Form::new("http://jabber.org/network/serverinfo");
        forms.push(policy.contacts.iter().fold(form, |form, (var, uris)| form.field(list(var, uris))));
    }
    forms.push(data_policy(policy));
    forms.push(
        Form::new("urn:xmpp:dataforms:softwareinfo")
            .field(text("software", "Rookery"))
            .field(text("software_version", env!("CARGO_PKG_VERSION"))),
    );
    forms.extend(policy.files.as_ref().map(upload::form));
    if !policy.outage.is_empty() {
        forms.push(Form::new("urn:xmpp:sos:0").field(list("external-status-addresses", &policy.outage)));
    }
    forms
}
