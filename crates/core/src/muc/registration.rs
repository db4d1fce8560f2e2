//! Registering with a room (XEP-0045 §7.10): what who wants to be a member fills in, and what those who decide about it
//! are asked (§9.9).

use super::privilege::Affiliation;
use crate::limits;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::jid::BareJid;
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;

/// The type of the form.
pub const FORM: &str = "http://jabber.org/protocol/muc#register";

/// What somebody says who wants to be a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The nick that is to be kept.
    pub nick: String,
    /// A few words about oneself.
    pub about: Option<String>,
}

/// The word of somebody who decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Whose request it is.
    pub jid: BareJid,
    /// Whether that one becomes a member.
    pub allow: bool,
}

/// The form that is filled in to become a member; `nick`: what the sender is called in the room now.
pub fn form(nick: Option<&str>) -> Form {
    Form::new(FORM)
        .title("Become a member")
        .instructions("Nobody else can use your nick in the room then.")
        .field(Field::new(Kind::TextSingle, "muc#register_roomnick", "Nick").required().values(nick))
        .field(Field::new(Kind::TextMulti, "muc#register_faqentry", "A few words about you"))
}

/// Reads that form.
///
/// # Errors
/// `bad-request`: it is another, or has no nick in it; `policy-violation`: it is too long.
pub fn read(answers: &Answers) -> Result<Registration, StanzaError> {
    form(None).check(answers)?;
    let nick = answers.text("muc#register_roomnick").unwrap_or_default().trim().to_owned();
    let about = answers.lines("muc#register_faqentry");
    if nick.len() > limits::ROOM_TEXT || about.as_ref().is_some_and(|text| text.len() > limits::ROOM_TEXT) {
        return Err(StanzaError::policy_violation().text("This is too long."));
    }
    Ok(Registration { nick, about })
}

impl Registration {
    /// Whether an admin must allow it first: where members may enter or speak and others may not.
    pub fn wants_approval(members_only: bool, moderated: bool) -> bool {
        members_only || moderated
    }

    /// The form that those get who decide.
    pub fn approval(&self, jid: &BareJid) -> Form {
        Form::new(FORM)
            .title("Somebody wants to become a member")
            .instructions("Tick the box to let this one in.")
            .field(Field::new(Kind::JidSingle, "muc#jid", "Address").value(jid.as_str()).required())
            .field(Field::new(Kind::TextSingle, "muc#register_roomnick", "Nick").value(&self.nick))
            .field(
                Field::new(Kind::TextMulti, "muc#register_faqentry", "About")
                    .values(self.about.iter().flat_map(|text| text.lines())),
            )
            .field(
                Field::new(
                    Kind::Boolean,
                    "muc#register_allow",
                    format!("Make a {}", Affiliation::Member.name()),
                )
                .ticked(false),
            )
    }

    /// What the store keeps while nobody has decided.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut x = Xml::new();
        x.open_ns("registration", FORM).text_element("nick", &self.nick);
        if let Some(about) = &self.about {
            x.text_element("about", about);
        }
        x.into_vec()
    }

    /// Reads what the store has kept; `None` if it cannot be read.
    pub fn from_xml(xml: &[u8]) -> Option<Registration> {
        let kept = Stanza::parse(xml).ok()?;
        let text = |name| kept.child(FORM, name).map(|child| child.text().into_owned());
        Some(Registration { nick: text("nick")?, about: text("about") })
    }
}

/// Reads the answer of who decides; `None` if the form is one of another type.
///
/// # Errors
/// `bad-request`: it does not say about whom, or what.
pub fn decision(answers: &Answers) -> Result<Option<Decision>, StanzaError> {
    if answers.form_type() != Some(FORM) {
        return Ok(None);
    }
    let jid = answers.text("muc#jid").and_then(|jid| BareJid::new(jid).ok());
    match (jid, answers.flag("muc#register_allow")) {
        (Some(jid), Some(allow)) => Ok(Some(Decision { jid, allow })),
        _ => Err(StanzaError::bad_request().text("This does not say who is to become a member.")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answers;
    use super::*;

    #[test]
    fn what_is_filled_in() {
        let full = answers(&[
            ("FORM_TYPE", &[FORM]),
            ("muc#register_roomnick", &[" puck "]),
            ("muc#register_faqentry", &["Robin Goodfellow", "of the wood"]),
        ]);
        let expected =
            Registration { nick: "puck".into(), about: Some("Robin Goodfellow\nof the wood".into()) };
        assert_eq!(read(&full), Ok(expected.clone()));
        assert_eq!(Registration::from_xml(&expected.to_xml()), Some(expected));
        for wrong in [
            answers(&[]),
            answers(&[("muc#register_roomnick", &[""])]),
            answers(&[("FORM_TYPE", &["urn:x"]), ("muc#register_roomnick", &["puck"])]),
        ] {
            assert_eq!(read(&wrong).unwrap_err().condition, "bad-request");
        }
        let long = "x".repeat(limits::ROOM_TEXT + 1);
        let long = answers(&[("muc#register_roomnick", &[&long])]);
        assert_eq!(read(&long).unwrap_err().condition, "policy-violation");
    }

    #[test]
    fn what_is_decided() {
        let jid = BareJid::new("puck@localhost").unwrap();
        let kind: (&str, &[&str]) = ("FORM_TYPE", &[FORM]);
        let who: (&str, &[&str]) = ("muc#jid", &["puck@localhost"]);
        let read = |fields: &[(&str, &[&str])]| decision(&answers(fields));
        let allowed = Decision { jid: jid.clone(), allow: true };
        assert_eq!(read(&[kind, who, ("muc#register_allow", &["1"])]), Ok(Some(allowed)));
        assert_eq!(read(&[who]), Ok(None), "no type");
        for wrong in [vec![kind], vec![kind, who], vec![kind, ("muc#jid", &["@"] as &[&str])]] {
            assert_eq!(read(&wrong).unwrap_err().condition, "bad-request");
        }
    }
}
