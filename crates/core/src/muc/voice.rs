//! Asking for voice (XEP-0045 §7.13), and granting it (§8.6): both are one form, sent as a message.

use super::privilege::Role;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};

/// The type of the form.
pub const FORM: &str = "http://jabber.org/protocol/muc#request";

/// What such a form says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Its sender wants voice.
    Ask,
    /// A moderator's word on the request of the occupant with this nick.
    Decide {
        /// Who wants it.
        nick: String,
        /// Whether that one gets it.
        allow: bool,
    },
}

/// Reads a form that was filled in; `None` if it is one of another type.
///
/// # Errors
/// `bad-request`: it asks for something else than voice, or allows nobody in particular.
pub fn read(answers: &Answers) -> Result<Option<Request>, StanzaError> {
    if answers.form_type() != Some(FORM) {
        return Ok(None);
    }
    if answers.text("muc#role").is_some_and(|role| role != Role::Participant.name()) {
        return Err(StanzaError::bad_request().text("Voice is what can be asked for."));
    }
    if answers.text("muc#request_allow").is_none() {
        return Ok(Some(Request::Ask));
    }
    let allow = answers.flag("muc#request_allow");
    match (answers.text("muc#roomnick"), allow) {
        (Some(nick), Some(allow)) => Ok(Some(Request::Decide { nick: nick.to_owned(), allow })),
        _ => Err(StanzaError::bad_request().text("This does not say who is to have voice.")),
    }
}

/// What moderators are asked (§8.6): `jid` is the full address of the occupant.
pub fn approval(jid: &str, nick: &str) -> Form {
    Form::new(FORM)
        .title("Somebody asks for voice")
        .instructions("Tick the box to let this one speak.")
        .field(Field::new(Kind::TextSingle, "muc#role", "Role").value(Role::Participant.name()))
        .field(Field::new(Kind::JidSingle, "muc#jid", "Address").value(jid))
        .field(Field::new(Kind::TextSingle, "muc#roomnick", "Nick").value(nick))
        .field(Field::new(Kind::Boolean, "muc#request_allow", "Grant voice").ticked(false))
}

#[cfg(test)]
mod tests {
    use super::super::testing::answers;
    use super::*;

    const TYPE: (&str, &[&str]) = ("FORM_TYPE", &[FORM]);

    #[test]
    fn what_a_form_says() {
        let role: (&str, &[&str]) = ("muc#role", &["participant"]);
        let nick: (&str, &[&str]) = ("muc#roomnick", &["puck"]);
        let read = |fields: &[(&str, &[&str])]| read(&answers(fields));
        assert_eq!(read(&[TYPE, role]), Ok(Some(Request::Ask)));
        assert_eq!(read(&[role]), Ok(None), "no type");
        for (text, allow) in [("1", true), ("true", true), ("0", false), ("false", false)] {
            let decided = Request::Decide { nick: "puck".into(), allow };
            assert_eq!(read(&[TYPE, role, nick, ("muc#request_allow", &[text])]), Ok(Some(decided)));
        }
        for wrong in [
            vec![TYPE, ("muc#role", &["moderator"] as &[&str])],
            vec![TYPE, ("muc#request_allow", &["1"])],
            vec![TYPE, nick, ("muc#request_allow", &["perhaps"])],
        ] {
            assert_eq!(read(&wrong).unwrap_err().condition, "bad-request", "{wrong:?}");
        }
    }

    #[test]
    fn the_form_that_moderators_get_can_be_sent_back_as_it_is() {
        let form = approval("puck@localhost/wood", "puck");
        let fields: &[(&str, &[&str])] = &[
            TYPE,
            ("muc#role", &["participant"]),
            ("muc#roomnick", &["puck"]),
            ("muc#request_allow", &["0"]),
        ];
        assert_eq!(form.check(&answers(fields)), Ok(()));
    }
}
