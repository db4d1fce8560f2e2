//! A node's configuration as a form (XEP-0060 §8.2, XEP-0004).

use super::config::{Access, Config, FIELDS};
use super::{config, error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind, Purpose};
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;

/// The FORM_TYPE of a configuration (§16.4.4).
pub(super) const NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";

/// The FORM_TYPE of what a node says of itself (§16.4.5).
const META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";

/// What a form of this type was filled in with, if `of` has one.
pub(super) fn read(of: &Child<'_>, form_type: &str) -> Result<Option<Answers>, StanzaError> {
    let Some(form) = of.child(ns::DATA_FORMS, "x") else { return Ok(None) };
    let answers = Answers::read(&form).map_err(|wrong| error::invalid_options(wrong.0))?;
    match answers.form_type() {
        Some(other) if other != form_type => Err(error::invalid_options("This is another form.".into())),
        _ => Ok(Some(answers)),
    }
}

/// The form with a configuration in it, at the service or elsewhere.
pub(crate) fn write(x: &mut Xml, config: &Config, service: bool) {
    let of_people = |field: &&config::Field| field.var == "pubsub#roster_groups_allowed";
    let fields = FIELDS.iter().filter(|field| !(service && of_people(field))).map(|field| {
        let shown = Field::new(field.kind, field.var, field.label).values(config.get(field.var));
        if field.var == "pubsub#access_model" {
            return Access::offered(service).fold(shown, |shown, option| shown.option(option, option));
        }
        field.options.iter().fold(shown, |shown, option| shown.option(*option, *option))
    });
    fields.fold(Form::new(NODE_CONFIG), Form::field).write(Purpose::Form, x);
}

/// What a node says of itself (§5.4), and who made it, at the service.
pub(super) fn write_meta(x: &mut Xml, config: &Config, creator: Option<&BareJid>) {
    let shown = [
        "pubsub#title",
        "pubsub#description",
        "pubsub#type",
        "pubsub#access_model",
        "pubsub#publish_model",
        "pubsub#max_items",
    ];
    let fields = shown.into_iter().filter_map(|var| {
        let values: Vec<String> = config.get(var).into_iter().filter(|value| !value.is_empty()).collect();
        (!values.is_empty()).then(|| Field::new(Kind::TextSingle, var, "").values(values))
    });
    let creator = creator.map(|jid| Field::new(Kind::JidSingle, "pubsub#creator", "").value(jid.as_str()));
    fields.chain(creator).fold(Form::new(META_DATA), Form::field).write(Purpose::Result, x);
}
