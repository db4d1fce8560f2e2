//! Forms as clients fill them in.

use rookery_proto::form::Answers;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;

/// A submitted form with these fields and values.
pub(super) fn answers(fields: &[(&str, &[&str])]) -> Answers {
    let mut x = Xml::new();
    x.open("iq").open_ns("x", ns::DATA_FORMS).attr("type", "submit");
    for (var, values) in fields {
        x.open("field").attr("var", var);
        for value in *values {
            x.text_element("value", value);
        }
        x.close();
    }
    let stanza = Stanza::parse(&x.into_vec()).unwrap();
    Answers::read(&stanza.child(ns::DATA_FORMS, "x").unwrap()).unwrap()
}
