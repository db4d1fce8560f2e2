//! Invitations by way of the room, and what is answered to them (XEP-0045 §7.8), read from a message to the room and
//! written as the room passes them on.

use crate::{address, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;

/// Whether somebody is invited, or refuses to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// Come here.
    Invite,
    /// I am not coming.
    Decline,
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Word::Invite => "invite",
            Word::Decline => "decline",
        }
    }
}

/// One invitation, or one answer to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// Which of the two.
    pub word: Word,
    /// Whom it is for.
    pub to: Jid,
    /// `<reason/>` and `<continue/>` as they were written.
    said: Vec<u8>,
}

/// Reads what `<x/>` of the namespace `muc#user` asks the room to pass on; nothing if it says something else.
///
/// # Errors
/// `jid-malformed`, or `bad-request` where nobody is named; `policy-violation`: more than [`limits::ROOM_INVITATIONS`], or too
/// long.
pub fn read(x: &Child<'_>) -> Result<Vec<Invitation>, StanzaError> {
    let mut all = Vec::new();
    for child in x.children().filter(|child| child.ns() == ns::MUC_USER) {
        let word = match child.name() {
            "invite" => Word::Invite,
            "decline" => Word::Decline,
            _ => continue,
        };
        if all.len() == limits::ROOM_INVITATIONS {
            let text = format!("At most {} people at once.", limits::ROOM_INVITATIONS);
            return Err(StanzaError::policy_violation().text(text));
        }
        let to = child.attr("to").ok_or_else(|| StanzaError::bad_request().text("This is for nobody."))?;
        let kept = |c: &Child<'_>| c.is(ns::MUC_USER, "reason") || c.is(ns::MUC_USER, "continue");
        let said: Vec<u8> = child.children().filter(kept).flat_map(|c| c.xml().to_vec()).collect();
        if said.len() > limits::ROOM_DESCRIPTION {
            return Err(StanzaError::policy_violation().text("The reason is too long."));
        }
        all.push(Invitation { word, to: address::parse(&to)?, said });
    }
    Ok(all)
}

impl Invitation {
    /// An invitation without a word, such as one that a new member gets (§9.5).
    pub fn to(to: BareJid) -> Invitation {
        Invitation { word: Word::Invite, to: to.into(), said: Vec::new() }
    }

    /// The message as the room sends it to `to`, on behalf of `from`. Who is invited learns the password.
    pub fn write(
        &self,
        room: &BareJid,
        to: &str,
        from: &BareJid,
        password: Option<&str>,
        id: &str,
    ) -> Vec<u8> {
        let mut x = Xml::new();
        x.open("message").attr("from", room.as_str()).attr("to", to).attr("id", id);
        x.open_ns("x", ns::MUC_USER);
        x.open(self.word.name()).attr("from", from.as_str()).raw(&self.said).close();
        if let Some(password) = password.filter(|_| self.word == Word::Invite) {
            x.text_element("password", password);
        }
        x.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_proto::stanza::Stanza;

    fn parse(inner: &str) -> Result<Vec<Invitation>, StanzaError> {
        let xml = format!("<message><x xmlns='{}'>{inner}</x></message>", ns::MUC_USER);
        let stanza = Stanza::parse(xml.as_bytes()).unwrap();
        read(&stanza.child(ns::MUC_USER, "x").unwrap())
    }

    fn written(invitation: &Invitation) -> String {
        let bare = |text| BareJid::new(text).unwrap();
        let (room, from) = (bare("700001@groups.localhost"), bare("romeo@localhost"));
        let xml = invitation.write(&room, invitation.to.as_str(), &from, Some("caw"), "1");
        String::from_utf8(xml).unwrap()
    }

    #[test]
    fn an_invitation_is_passed_on_with_what_was_said() {
        let xml = "<invite to='juliet@localhost'><reason>Come &amp; see</reason><continue thread='t'/>\
            <evil xmlns='urn:x'/></invite><invite to='nurse@localhost/kitchen'/>";
        let all = parse(xml).unwrap();
        assert_eq!(all.len(), 2);
        let expected = "<message from='700001@groups.localhost' to='juliet@localhost' id='1'>\
            <x xmlns='http://jabber.org/protocol/muc#user'><invite from='romeo@localhost'>\
            <reason>Come &amp; see</reason><continue thread='t'/></invite><password>caw</password></x></message>";
        assert_eq!(written(&all[0]), expected);
    }

    #[test]
    fn who_declines_is_told_no_password() {
        let all = parse("<decline to='romeo@localhost'/>").unwrap();
        assert_eq!(all[0].word, Word::Decline);
        assert!(!written(&all[0]).contains("caw"));
    }

    #[test]
    fn what_is_none() {
        assert_eq!(parse("<item affiliation='owner'/><invite xmlns='urn:x' to='a@b'/>"), Ok(Vec::new()));
        assert_eq!(parse("<invite/>").unwrap_err().condition, "bad-request");
        assert_eq!(parse("<invite to='@'/>").unwrap_err().condition, "jid-malformed");
        let many = "<invite to='a@b'/>".repeat(limits::ROOM_INVITATIONS + 1);
        assert_eq!(parse(&many).unwrap_err().condition, "policy-violation");
        let long =
            format!("<invite to='a@b'><reason>{}</reason></invite>", "x".repeat(limits::ROOM_DESCRIPTION));
        assert_eq!(parse(&long).unwrap_err().condition, "policy-violation");
    }
}
