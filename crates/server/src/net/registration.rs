//! Signing up (XEP-0077) before authentication: with the fields that most clients know, or a form, in which a nick and
//! a password are enough and the number becomes the address. An invitation is shown first (XEP-0445).

use super::Server;
use super::throttle::{Debts, subnet};
use rookery_core::Registration;
use rookery_core::accounts::{AccountError, Wanted};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{self as data, Answers, Field, Kind, Purpose};
use rookery_proto::ns;
use rookery_proto::stanza::{self, Child, Stanza};
use rookery_proto::xml::Xml;
use rookery_store::{Account, Shown, Timestamp};
use std::net::IpAddr;
use std::time::Duration;

/// Attempts that one address has for each account that it may make: invitations are shown, names are taken, passwords
/// mistyped.
const TRIES: f64 = 6.0;

const HOUR: Duration = Duration::from_secs(3600);

/// Sign-ups of each address.
pub struct SignUps {
    per_hour: f64,
    made: Debts<IpAddr>,
    tried: Debts<IpAddr>,
}

impl SignUps {
    /// So many accounts per address and hour.
    pub fn new(per_hour: u32) -> SignUps {
        let (each, per_hour) = (HOUR / per_hour.max(1), f64::from(per_hour));
        // What is beyond the limits changes nothing: who has waited for an hour is as free as ever.
        let made = Debts::new(each, per_hour);
        SignUps { per_hour, made, tried: Debts::new(each.div_f64(TRIES), per_hour * TRIES) }
    }

    /// Whether `peer` has tried so often that it must wait.
    pub fn is_spent(&self, peer: IpAddr, now: Timestamp) -> bool {
        self.tried.of(&subnet(peer), now) > self.per_hour * TRIES - 1.0
    }

    /// `peer` has tried something: an invitation, a name.
    pub fn note_try(&self, peer: IpAddr, now: Timestamp) {
        self.tried.add(subnet(peer), now);
    }

    /// Whether `peer` may try now. Every attempt counts, so that names cannot be asked for one after the other.
    fn admit(&self, peer: IpAddr, now: Timestamp) -> Result<(), StanzaError> {
        if self.made.of(&subnet(peer), now) > self.per_hour - 1.0 || self.is_spent(peer, now) {
            // XEP-0077 §8 leaves the condition open; waiting helps.
            return Err(StanzaError::resource_constraint()
                .text("Too many sign-ups from your address. Try again later."));
        }
        self.note_try(peer, now);
        Ok(())
    }
}

/// What somebody fills in, here or on a page.
#[derive(Default)]
pub struct Entry {
    /// The name for the address.
    pub user: Option<String>,
    /// What others call them.
    pub nick: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// The invitation that they hold.
    pub invite: Option<Shown>,
}

/// Whether an element is about signing up; nothing else is answered before authentication.
pub fn is_meant(element: &Stanza) -> bool {
    let about = |c: Child<'_>| c.is(ns::REGISTER, "query") || c.is(ns::PREAUTH, "preauth");
    element.kind() == stanza::Kind::Iq && element.children().any(about)
}

/// Answers an IQ of a client that has not authenticated. `invite` is what it has shown so far (XEP-0445 §4).
pub async fn unauthenticated(
    server: &Server,
    peer: IpAddr,
    iq: &Stanza,
    invite: &mut Option<Shown>,
) -> Vec<u8> {
    let outcome = match answer(server, peer, iq, invite).await {
        Ok(payload) => {
            let mut x = Xml::new();
            x.open("iq").attr("type", "result").opt("id", iq.id()).attr("from", &server.core.policy.domain);
            x.raw(&payload).close();
            return x.into_vec();
        }
        Err(error) => error,
    };
    tracing::info!(%peer, reason = outcome.condition, "no account was made");
    outcome.reply(iq, None).unwrap_or_default()
}

async fn answer(
    server: &Server,
    peer: IpAddr,
    iq: &Stanza,
    invite: &mut Option<Shown>,
) -> Result<Vec<u8>, StanzaError> {
    let mode = server.core.policy.registration;
    let set = match iq.type_().as_deref() {
        Some("get") => false,
        Some("set") => true,
        _ => return Err(StanzaError::bad_request()),
    };
    if set && let Some(preauth) = iq.child(ns::PREAUTH, "preauth") {
        return show_invite(server, peer, &preauth, invite).await;
    }
    let query = iq.child(ns::REGISTER, "query").ok_or_else(StanzaError::not_authorized)?;
    if mode == Registration::Closed {
        return Err(StanzaError::not_allowed().text("The operator makes the accounts here. Ask for one."));
    }
    if !set {
        return Ok(form(mode, invite.is_some()));
    }
    sign_up(server, peer, fields(server, &query)?, *invite).await
}

/// XEP-0445 §4: a token is shown before the form is asked for. Whether it has expired is looked at here and not again.
async fn show_invite(
    server: &Server,
    peer: IpAddr,
    preauth: &Child<'_>,
    invite: &mut Option<Shown>,
) -> Result<Vec<u8>, StanzaError> {
    // Tokens cannot be guessed one after the other.
    server.sign_ups.admit(peer, server.core.env.now())?;
    let shown = server.core.accounts.shown(&preauth.attr("token").unwrap_or_default());
    match server.core.accounts.check_invite(shown).await {
        Ok(_) => {
            *invite = Some(shown);
            Ok(Vec::new())
        }
        Err(AccountError::Invite) => Err(StanzaError::item_not_found().text(AccountError::Invite.sentence())),
        Err(error) => Err(error.into()),
    }
}

/// What is asked for (§3.1, §4): the fields, and the same as a form with more to choose.
fn form(mode: Registration, invited: bool) -> Vec<u8> {
    let text = "Choose a name for your address, or leave it out: then your number is your address.";
    let mut form = data::Form::new(ns::REGISTER)
        .title("A new account")
        .instructions(text)
        .field(Field::new(Kind::TextSingle, "nick", "Nick: what others call you"))
        .field(Field::new(Kind::TextSingle, "username", "Name in your address (may be left out)"))
        .field(Field::new(Kind::TextPrivate, "password", "Password").required());
    if mode == Registration::Invite && !invited {
        form = form.field(Field::new(Kind::TextSingle, "token", "Invitation").required());
    }
    let mut x = Xml::new();
    x.open_ns("query", ns::REGISTER).text_element("instructions", text);
    x.leaf("username").leaf("password");
    form.write(Purpose::Form, &mut x);
    x.close();
    x.into_vec()
}

/// What was filled in: a form counts more than the fields beside it.
fn fields(server: &Server, query: &Child<'_>) -> Result<Entry, StanzaError> {
    let mut form = Entry::default();
    let mut take = |name: &str, value: String| {
        let value = Some(value).filter(|value| !value.is_empty());
        match name {
            "username" => form.user = value,
            "nick" => form.nick = value,
            "password" => form.password = value,
            "token" => form.invite = value.map(|token| server.core.accounts.shown(&token)),
            _ => {}
        }
    };
    for child in query.children().filter(|c| c.ns() == ns::REGISTER) {
        take(child.name(), child.text().into_owned());
    }
    if let Some(data) = query.child(ns::DATA_FORMS, "x") {
        for (var, values) in Answers::read(&data)?.iter() {
            take(var, values.first().cloned().unwrap_or_default());
        }
    }
    Ok(form)
}

async fn sign_up(
    server: &Server,
    peer: IpAddr,
    entry: Entry,
    invite: Option<Shown>,
) -> Result<Vec<u8>, StanzaError> {
    let account = make(server, peer, Entry { invite: entry.invite.or(invite), ..entry }).await?;
    let address = server.core.accounts.address(&account);
    // The client learns its address here, because without a name it did not choose it.
    let mut x = Xml::new();
    x.open_ns("query", ns::REGISTER).leaf("registered");
    x.text_element("username", address.node().map_or("", |node| node.as_str())).close();
    Ok(x.into_vec())
}

/// Makes an account for somebody who comes from `peer`.
pub async fn make(server: &Server, peer: IpAddr, entry: Entry) -> Result<Account, StanzaError> {
    let now = server.core.env.now();
    server.sign_ups.admit(peer, now)?;
    // §3.1: what is required must be there.
    let password =
        entry.password.ok_or_else(|| StanzaError::not_acceptable().text("A password is needed."))?;
    if server.core.policy.registration == Registration::Invite && entry.invite.is_none() {
        return Err(StanzaError::not_allowed().text("You need an invitation to sign up here."));
    }
    let wanted = Wanted { name: entry.user, nick: entry.nick, password, invite: entry.invite };
    let account = server.core.sign_up(wanted).await?.account;
    server.sign_ups.made.add(subnet(peer), now);
    tracing::info!(uid = account.uid.0, %peer, "signed up");
    Ok(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_limits_hold_too() {
        let (sign_ups, peer, now) = (SignUps::new(1_000), IpAddr::from([192, 0, 2, 1]), Timestamp(0));
        for _ in 0..6_000 {
            assert!(sign_ups.admit(peer, now).is_ok());
        }
        assert!(sign_ups.admit(peer, now).is_err());
        assert!(sign_ups.admit(peer, Timestamp(3_600_000)).is_ok());
    }
}
