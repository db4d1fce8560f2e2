//! What the server says of itself beyond its features (XEP-0128): contacts (XEP-0157), its software (XEP-0232), and where
//! to read what is wrong when it is not there (XEP-0455).

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

/// The forms, in the order of their types.
pub fn forms(policy: &Policy) -> Vec<Form> {
    let list = |var: &'static str, values: &[String]| Field::new(Kind::ListMulti, var, "").values(values);
    let text = |var: &'static str, value: &str| Field::new(Kind::TextSingle, var, "").value(value);
    let mut forms = Vec::new();
    if !policy.contacts.is_empty() {
        let form = Form::new("http://jabber.org/network/serverinfo");
        forms.push(policy.contacts.iter().fold(form, |form, (var, uris)| form.field(list(var, uris))));
    }
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
