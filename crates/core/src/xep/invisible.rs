//! XEP-0186: Invisible Command. An invisible session takes part in everything and is seen by nobody, until it says
//! otherwise or ends.

use super::Xep;
use crate::Ctx;
use crate::answer::{Answer, Reply};
use crate::session::Available;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;

/// XEP-0186.
pub const INFO: Xep = Xep {
    number: "XEP-0186",
    name: "Invisible Command",
    version: "0.14.0",
    server: &[ns::INVISIBLE],
    account: &[],
    note: "Whole; survives resumption and restart. The account's other resources do not see the session either.",
};

/// The session disappears (§3.1), and takes messages and presence from now on, if it did not before.
pub async fn hide(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let probe = match payload.attr("probe").as_deref() {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(StanzaError::bad_request().text("The attribute probe is true or false.")),
    };
    let (core, session) = (ctx.core, ctx.session);
    let (seen, present, directed) = {
        let mut state = session.state();
        let (seen, hidden) = (state.seen().is_some(), state.invisible);
        state.invisible = true;
        // Who is sent presence in particular from here on is told the end of it; who was before, learns it now.
        let directed = if hidden { Vec::new() } else { std::mem::take(&mut state.directed) };
        (seen, state.available.is_some(), directed)
    };
    if !present {
        core.make_available(session, Available { priority: 0, stanza: presence(ctx, None) });
    }
    core.journal.snapshot(session);
    let gone = presence(ctx, Some("unavailable"));
    if seen {
        core.broadcast(session, &gone).await?;
        // §3.1.1: since now the account is away, if no other resource is seen.
        core.last_seen(session.uid, &gone).await?;
    }
    for to in directed {
        core.followers.remove(&to, session);
        core.direct(session, &to, &gone).await?;
    }
    if probe {
        core.learn_presences(session).await?;
    }
    if !present {
        core.ask_again(session).await?;
    }
    Ok(Reply::Empty)
}

/// The session is as before its first presence (§3.2): it is for the client to send one. Whom it sent presence in
/// particular is told when it goes.
pub fn show(ctx: &Ctx<'_>) -> Answer {
    {
        let mut state = ctx.session.state();
        if std::mem::take(&mut state.invisible) {
            state.timeline.quiet();
            state.available = None;
            (state.caps, state.asked_caps) = (None, None);
        }
    }
    ctx.core.journal.snapshot(ctx.session);
    Ok(Reply::Empty)
}

/// Presence in the session's name.
fn presence(ctx: &Ctx<'_>, kind: Option<&str>) -> bytes::Bytes {
    let mut x = Xml::new();
    x.open("presence").attr("from", ctx.session.jid.as_str()).opt("type", kind).close();
    x.into_vec().into()
}
