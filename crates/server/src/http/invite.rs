//! The page of an invitation (XEP-0401 §4.2, XEP-0379 §3.3): who invites, the link for applications, which there are, and a
//! form to sign up right here. Without a script, and protected like signing up in a client.

mod code;
mod page;

use super::body;
use super::visitor::{Visitor, Wire};
use super::{NOSNIFF, Web, messenger, origin, refuse};
use crate::net::registration::{self, Entry};
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use page::{Invited, Platform};
use rookery_core::Registration;
use rookery_proto::error::StanzaError;
use rookery_store::{Invite, Shown, StoreError};
use std::sync::Arc;

/// Where invitations are; the token stands behind it.
pub(super) const PATH: &str = "/invite/{token}";

/// Bytes of a form: a nick, a name and a password with all that percent-encoding adds.
const FORM_BYTES: usize = 8 << 10;

/// Fields of a form.
const FIELDS: usize = 16;

/// Nobody's index or cache is to know a token. What leads to other sites takes no address along; our own form must say where
/// it comes from (Fetch standard, request origin), which `no-referrer` would keep it from.
const SECRET: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

fn answer(status: StatusCode, page: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], SECRET, [NOSNIFF], page).into_response()
}

/// The page.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    match visit(&web, &wire, &headers, &token).await {
        Ok((_, invited)) => answer(StatusCode::OK, page::invitation(&invited, platform(&headers), None)),
        Err(refusal) => *refusal,
    }
}

/// The form was filled in.
pub(super) async fn sign_up(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    // A page elsewhere could send the form on behalf of its visitors, each from an address of its own.
    if !origin::is_ours(&parts, web.domain(), &web.settings) {
        return refuse(StatusCode::FORBIDDEN, "This form is filled in on its own page.");
    }
    let (visitor, invited) = match visit(&web, &wire, &parts.headers, &token).await {
        Ok(visit) => visit,
        Err(refusal) => return *refusal,
    };
    if !visitor.secure && !web.server.settings.plain {
        return refuse(StatusCode::FORBIDDEN, "A password is not taken without TLS: open the page by https.");
    }
    if !invited.may_sign_up {
        return refuse(StatusCode::FORBIDDEN, "Nobody signs up with this invitation.");
    }
    let Ok(form) = body::read(body, FORM_BYTES, |_| FORM_BYTES).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "This is too much for the form.");
    };
    let entry = match read(&form, invited.shown) {
        Some(entry) => entry,
        None => return refuse(StatusCode::BAD_REQUEST, "This is not the form of this page."),
    };
    match registration::make(&web.server, visitor.address, entry).await {
        Ok(account) => {
            let address = web.server.core.accounts.address(&account);
            answer(StatusCode::OK, page::welcome(&invited, &account, &address, platform(&parts.headers)))
        }
        Err(error) => {
            let said = error.text.clone().unwrap_or_else(|| "This did not work. Try again later.".into());
            answer(status(&error), page::invitation(&invited, platform(&parts.headers), Some(&said)))
        }
    }
}

/// What HTTP calls it.
pub(super) fn status(error: &StanzaError) -> StatusCode {
    match error.condition {
        "conflict" => StatusCode::CONFLICT,
        "resource-constraint" => StatusCode::TOO_MANY_REQUESTS,
        "internal-server-error" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Who comes, and with what invitation; a page that says why there is none. Tokens that are none count as tries of an
/// address, as they do in a client.
async fn visit(
    web: &Web,
    wire: &Wire,
    headers: &HeaderMap,
    token: &str,
) -> Result<(Visitor, Invited), Box<Response>> {
    let Ok(visitor) = Visitor::of(wire, headers, &web.settings.proxies) else {
        let sentence = "The proxy in between says something that is not clear.";
        return Err(Box::new(refuse(StatusCode::BAD_REQUEST, sentence)));
    };
    let core = &web.server.core;
    let now = core.env.now();
    if web.server.sign_ups.is_spent(visitor.address, now) {
        let page =
            page::sorry(web.domain(), "Not now", "Too many tries came from your address. Come back later.");
        return Err(Box::new(answer(StatusCode::TOO_MANY_REQUESTS, page)));
    }
    let shown = core.accounts.shown(token);
    match invited(web, token, shown).await {
        Ok(Some(invited)) => Ok((visitor, invited)),
        Ok(None) => {
            web.server.sign_ups.note_try(visitor.address, now);
            let text = "It was used, taken back, or its time is over; or a part of the link was lost on the way. Ask who \
                        gave it to you for another one.";
            let page = page::sorry(web.domain(), "This invitation is not valid", text);
            Err(Box::new(answer(StatusCode::NOT_FOUND, page)))
        }
        Err(error) => {
            tracing::warn!(%error, "an invitation could not be read");
            let page = page::sorry(web.domain(), "Not now", "The server cannot do this at the moment.");
            Err(Box::new(answer(StatusCode::SERVICE_UNAVAILABLE, page)))
        }
    }
}

/// What the page says of a valid invitation.
async fn invited(web: &Web, token: &str, shown: Shown) -> Result<Option<Invited>, StoreError> {
    let core = &web.server.core;
    let valid = |invite: &Invite| invite.uses > 0 && invite.expires > shown.at;
    let Some(invite) = core.store.invite(shown.hash).await?.filter(valid) else { return Ok(None) };
    let inviter = match invite.created_by {
        Some(uid) => core.store.account(uid).await?,
        None => None,
    };
    let address = inviter.as_ref().map(|account| core.accounts.address(account));
    let links = core.accounts.links(token.trim(), &invite.offer, address.as_ref());
    Ok(Some(Invited {
        domain: web.domain().to_owned(),
        inviter: inviter.and_then(|account| account.nick).or(address.map(|address| address.to_string())),
        may_sign_up: invite.offer.account && core.policy.registration != Registration::Closed,
        messenger: messenger::missing().is_none(),
        token: token.trim().to_owned(),
        uri: links.uri,
        offer: invite.offer,
        expires: invite.expires,
        shown,
    }))
}

/// Reads a form as browsers send it (URL standard, application/x-www-form-urlencoded).
fn read(form: &[u8], shown: Shown) -> Option<Entry> {
    let mut entry = Entry { invite: Some(shown), ..Entry::default() };
    for (at, pair) in form.split(|byte| *byte == b'&').enumerate() {
        let name_end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (&pair[..name_end], pair.get(name_end + 1..).unwrap_or_default());
        let value = Some(decoded(value)?).filter(|value| !value.is_empty());
        match name {
            _ if at == FIELDS => return None,
            b"nick" => entry.nick = value,
            b"name" => entry.user = value,
            b"password" => entry.password = value,
            _ => {}
        }
    }
    Some(entry)
}

/// A value without its percent-encoding; `None` if it is not UTF-8.
fn decoded(value: &[u8]) -> Option<String> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        match (byte, digit(value.get(at + 1)), digit(value.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
        at += 1;
    }
    String::from_utf8(bytes).ok()
}

/// What the browser runs on, as far as it says so: the applications for it are named first.
fn platform(headers: &HeaderMap) -> Option<Platform> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let is = |name| agent.contains(name);
    match () {
        () if is("Android") => Some(Platform::Android),
        () if is("iPhone") || is("iPad") || is("Macintosh") => Some(Platform::Apple),
        () if is("Linux") || is("Windows") => Some(Platform::Desktop),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_store::{InviteHash, Timestamp};

    fn entry(form: &str) -> Option<(Option<String>, Option<String>, Option<String>)> {
        let shown = Shown { hash: InviteHash([0; 32]), at: Timestamp(0) };
        read(form.as_bytes(), shown).map(|entry| (entry.nick, entry.user, entry.password))
    }

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            entry("nick=Julia+C%C3%A4%2B&name=&password=a%26b%3D%25"),
            Some((text("Julia Cä+"), None, text("a&b=%")))
        );
        assert_eq!(entry(""), Some((None, None, None)));
        assert_eq!(entry("nick"), Some((None, None, None)));
        assert_eq!(entry("nick=%zz%4"), Some((text("%zz%4"), None, None)));
        assert_eq!(entry("nick=%ff"), None, "no UTF-8");
        assert_eq!(entry(&"a=b&".repeat(FIELDS + 1)), None);
    }
}
