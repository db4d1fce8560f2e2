//! What the pages of invitations look like.

use super::code;
use crate::http::page::document;
use rookery_core::env::stamp;
use rookery_proto::jid::BareJid;
use rookery_proto::xml::Xml;
use rookery_store::{Account, Offer, Shown, Timestamp};

/// What a page says of an invitation.
pub(super) struct Invited {
    /// The domain that accounts live at.
    pub(super) domain: String,
    /// What who invites is called; the operator has no name.
    pub(super) inviter: Option<String>,
    /// What the invitation is good for.
    pub(super) offer: Offer,
    /// Until when.
    pub(super) expires: Timestamp,
    /// Whether there is a form to sign up.
    pub(super) may_sign_up: bool,
    /// Whether this server has the web messenger.
    pub(super) messenger: bool,
    /// The invitation as it stands in its link.
    pub(super) token: String,
    /// The link for applications.
    pub(super) uri: String,
    /// The invitation as it was shown.
    pub(super) shown: Shown,
}

/// What a browser runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    /// Phones and tablets.
    Android,
    /// iPhone, iPad and Mac.
    Apple,
    /// Linux and Windows.
    Desktop,
}

/// Applications to begin with: free, kept up, and able to open invitations.
const APPLICATIONS: &[(Platform, &str, &str, &str)] = &[
    (Platform::Android, "Conversations", "https://conversations.im/", "Android"),
    (Platform::Android, "Cheogram", "https://cheogram.com/", "Android"),
    (Platform::Apple, "Monal", "https://monal-im.org/", "iPhone, iPad, Mac"),
    (Platform::Apple, "Siskin", "https://siskin.im/", "iPhone, iPad"),
    (Platform::Desktop, "Dino", "https://dino.im/", "Linux, Windows"),
    (Platform::Desktop, "Gajim", "https://gajim.org/", "Linux, Windows, Mac"),
];

/// A page that says why there is nothing here.
pub(super) fn sorry(domain: &str, title: &str, text: &str) -> Vec<u8> {
    document(domain, |x| {
        x.text_element("h1", title).text_element("p", text);
    })
}

/// The page of a valid invitation; `wrong`: what was wrong with the form as it was filled in.
pub(super) fn invitation(invited: &Invited, platform: Option<Platform>, wrong: Option<&str>) -> Vec<u8> {
    document(&invited.domain, |x| {
        let title = match &invited.inviter {
            Some(inviter) => format!("{inviter} invites you to {}", invited.domain),
            None => format!("You are invited to {}", invited.domain),
        };
        x.text_element("h1", &title).text_element("p", &offered(invited));
        if invited.messenger {
            x.open("p")
                .open("a")
                .attr("class", "button")
                .attr("href", &format!("/#/invite/{}", invited.token));
            x.text("Open it in the messenger").close().close();
        }
        if invited.may_sign_up {
            form(invited, wrong, x);
        }
        x.text_element("h2", "With an application");
        x.text_element("p", "If you have an application for XMPP, open the invitation with it:");
        open_link(invited, x);
        x.open("p")
            .text("No application yet? Get one, come back to this page, and open the link then.")
            .close();
        applications(platform, x);
        let until = stamp(invited.expires);
        let until = format!("The invitation is valid until {} UTC.", until[..16].replace('T', " "));
        x.open("p").attr("class", "small").text(&until).close();
    })
}

/// What the invitation is good for, in a sentence.
fn offered(invited: &Invited) -> String {
    let who = invited.inviter.as_deref().unwrap_or("Who invites you");
    let account = invited.may_sign_up;
    let contact = invited.offer.contact;
    match (account, contact) {
        (true, true) => {
            format!("Make an account in a moment: {who} will be in your list of contacts at once.")
        }
        (true, false) => "Make an account in a moment, and talk to the people here.".to_owned(),
        (false, true) => format!("Open the invitation with your account, and {who} and you are contacts."),
        (false, false) => "Open the invitation with your application.".to_owned(),
    }
}

fn open_link(invited: &Invited, x: &mut Xml) {
    x.open("p").open("a").attr("class", "button").attr("href", &invited.uri);
    x.text("Open the invitation").close().close();
    code::draw(&invited.uri, x);
}

fn applications(platform: Option<Platform>, x: &mut Xml) {
    let fits = |of: &Platform| Some(*of) == platform;
    let first = APPLICATIONS.iter().filter(|(of, ..)| fits(of));
    let others = APPLICATIONS.iter().filter(|(of, ..)| !fits(of));
    x.open("ul");
    for (_, name, address, runs_on) in first.chain(others) {
        x.open("li").open("a").attr("href", address).attr("rel", "noreferrer noopener").text(name).close();
        x.text(&format!(" ({runs_on})")).close();
    }
    x.close();
}

/// The form to sign up.
fn form(invited: &Invited, wrong: Option<&str>, x: &mut Xml) {
    x.text_element("h2", "Sign up here");
    if let Some(wrong) = wrong {
        x.open("p").attr("class", "wrong").attr("role", "alert").text(wrong).close();
    }
    x.open("form").attr("method", "post").attr("accept-charset", "utf-8");
    let field = |x: &mut Xml, name: &str, label: &str, hint: &str, attributes: &[(&str, &str)]| {
        x.open("label").text(label).open("input").attr("name", name);
        for (name, value) in attributes {
            x.attr(name, value);
        }
        x.close();
        if !hint.is_empty() {
            x.open("span").attr("class", "small").text(hint).close();
        }
        x.close();
    };
    field(x, "nick", "Nick", "What others call you.", &[("maxlength", "64"), ("autocomplete", "nickname")]);
    let behind = format!("@{}", invited.domain);
    match &invited.offer.name {
        Some(name) => {
            x.open("p").text("Your address will be ").text_element("b", &format!("{name}{behind}"));
            x.text(".").close();
        }
        None => field(
            x,
            "name",
            "Name in your address",
            &format!("{behind} stands behind it. Leave it out, and your number is your address."),
            &[
                ("maxlength", "64"),
                ("autocomplete", "username"),
                ("autocapitalize", "none"),
                ("spellcheck", "false"),
            ],
        ),
    }
    let password = [("type", "password"), ("required", "required"), ("autocomplete", "new-password")];
    field(x, "password", "Password", "", &password);
    x.open("button").text("Sign up").close().close();
}

/// The new account's card of name and number, and how it goes on.
pub(super) fn welcome(
    invited: &Invited,
    account: &Account,
    address: &BareJid,
    platform: Option<Platform>,
) -> Vec<u8> {
    document(&invited.domain, |x| {
        let title = match &account.nick {
            Some(nick) => format!("Welcome, {nick}!"),
            None => "Welcome!".to_owned(),
        };
        x.text_element("h1", &title).open("div").attr("class", "card");
        x.open("p").text("Your address").open("b").text(address.as_str()).close().close();
        x.open("p").text("Your number").open("b").text(&account.uid.to_string()).close().close();
        x.close();
        if invited.messenger {
            x.open("p")
                .open("a")
                .attr("class", "button")
                .attr("href", "/")
                .text("Sign in here")
                .close()
                .close();
        }
        x.text_element("p", "Give it to the people you want to talk to. Sign in with it and your password:");
        applications(platform, x);
    })
}
