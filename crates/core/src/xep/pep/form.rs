//! A node's configuration as a form (XEP-0060 §8.2, XEP-0004).

use super::config::{Config, FIELDS};
use super::error;
use crate::limits;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;

/// The FORM_TYPE of a configuration (§16.4.4).
pub(super) const NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";

/// The FORM_TYPE of what a node says of itself (§16.4.5).
const META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";

/// The fields of a submitted form with their values, if `of` has one. A form that is not submitted, or of another type, is
/// refused.
pub(super) fn read(of: &Child<'_>, kind: &str) -> Result<Option<Vec<(String, Vec<String>)>>, StanzaError> {
    let Some(form) = of.child(ns::DATA_FORMS, "x") else { return Ok(None) };
    if form.attr("type").is_some_and(|kind| kind != "submit") {
        return Err(error::invalid_options("The form is not submitted.".into()));
    }
    let mut fields = Vec::new();
    for field in form.children().filter(|c| c.is(ns::DATA_FORMS, "field")) {
        let values: Vec<String> =
            field.children().filter(|c| c.name() == "value").map(|c| c.text().into_owned()).collect();
        let Some(var) = field.attr("var") else { continue };
        if var == "FORM_TYPE" {
            if values.first().is_some_and(|value| value != kind) {
                return Err(error::invalid_options("This is another form.".into()));
            }
            continue;
        }
        if fields.len() >= limits::FORM_FIELDS {
            return Err(error::invalid_options("These are too many fields.".into()));
        }
        fields.push((var.into_owned(), values));
    }
    Ok(Some(fields))
}

/// The form with a configuration in it.
pub(super) fn write(x: &mut Xml, config: &Config) {
    begin(x, "form", NODE_CONFIG);
    for field in FIELDS {
        x.open("field").attr("var", field.var).attr("type", field.kind).attr("label", field.label);
        for option in field.options {
            x.open("option").text_element("value", option).close();
        }
        for value in config.get(field.var) {
            x.text_element("value", &value);
        }
        x.close();
    }
    x.close();
}

/// What a node says of itself (§5.4).
pub(super) fn write_meta(x: &mut Xml, config: &Config) {
    begin(x, "result", META_DATA);
    for var in
        ["pubsub#title", "pubsub#description", "pubsub#type", "pubsub#access_model", "pubsub#max_items"]
    {
        for value in config.get(var).iter().filter(|value| !value.is_empty()) {
            x.open("field").attr("var", var).text_element("value", value).close();
        }
    }
    x.close();
}

fn begin(x: &mut Xml, kind: &str, form_type: &str) {
    x.open_ns("x", ns::DATA_FORMS).attr("type", kind);
    x.open("field").attr("var", "FORM_TYPE").attr("type", "hidden").text_element("value", form_type).close();
}
