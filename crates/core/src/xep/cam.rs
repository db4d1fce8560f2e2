//! XEP-0494: Client Access Management: which clients have access to an account, and how one is signed out.
//!
//! A client that says which installation it is (XEP-0388) is a device, connected or not. A session of any other is a client
//! for as long as it lasts.

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use crate::session::Session;
use crate::{Ctx, dispatch, store_error};
use data_encoding::BASE32_NOPAD;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{AddressKind, Device, DeviceId, Registrant, Timestamp};
use std::sync::Arc;

/// XEP-0494.
pub const INFO: Xep = Xep {
    number: "XEP-0494",
    name: "Client Access Management",
    version: "0.1.0",
    server: &[],
    account: &[ns::CAM],
    note: "Devices with their tokens, and sessions of clients that do not say which they are. Revoking signs out at once, and \
           says so when the client may know the password. All at once, public devices and more in a namespace of our own, see \
           [devices](devices.md).",
};

/// Stands for all clients but the one that asks.
const ALL: &str = "all";

/// Stands for the client that asks, which need not look for itself in the list.
const CURRENT: &str = "current";

/// How a device is called in the list.
fn device_name(device: DeviceId) -> String {
    BASE32_NOPAD.encode(&device.0).to_ascii_lowercase()
}

/// How the session of a client that is no device is called.
fn session_name(ctx: &Ctx<'_>, session: &Session) -> String {
    let name = ctx.core.secret.derive("client", &[session.jid.as_str().as_bytes()]);
    format!("session-{}", BASE32_NOPAD.encode(&name[..10]).to_ascii_lowercase())
}

/// The list of clients.
pub async fn list(ctx: &Ctx<'_>) -> Answer {
    let devices = ctx.core.store.devices(ctx.member.uid).await.map_err(store_error)?;
    let sessions = ctx.core.router.sessions(ctx.member.uid);
    let mut x = Xml::new();
    x.open_ns("clients", ns::CAM);
    for device in &devices {
        let own: Vec<_> = sessions.iter().filter(|session| session.is_of(device.id)).collect();
        write_device(ctx, &mut x, device, &own);
    }
    for session in sessions.iter().filter(|session| session.installation.is_none() && session.is_live()) {
        write_session(ctx, &mut x, session);
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

fn open(x: &mut Xml, id: &str, connected: bool, first: Option<Timestamp>, last: Timestamp) {
    x.open("client").attr("id", id).attr("type", "session");
    x.attr("connected", if connected { "true" } else { "false" });
    if let Some(first) = first {
        x.text_element("first-seen", &stamp(first));
    }
    x.text_element("last-seen", &stamp(last));
}

fn write_device(ctx: &Ctx<'_>, x: &mut Xml, device: &Device, sessions: &[&Arc<Session>]) {
    let heard = sessions.iter().map(|session| session.state().heard).max();
    let last = heard.map_or(device.last_seen, |heard| heard.max(device.last_seen));
    let connected = sessions.iter().any(|session| session.is_live());
    open(x, &device_name(device.id), connected, Some(device.first_seen), last);
    x.open("auth");
    if device.password {
        x.leaf("password");
    }
    if device.token {
        x.leaf("fast");
    }
    x.close().open("permission").attr("status", "unrestricted").close();
    x.open("user-agent").text_element("software", device.software.as_deref().unwrap_or_default());
    if let Some(name) = &device.name {
        x.text_element("device", name);
    }
    x.close();
    let kind = match device.address {
        AddressKind::Local => "local",
        AddressKind::V4 => "ipv4",
        AddressKind::V6 => "ipv6",
    };
    x.open_ns("address", ns::CLIENTS).attr("kind", kind).close();
    if device.public {
        x.leaf_ns("public", ns::CLIENTS);
    }
    if ctx.session.is_of(device.id) {
        x.leaf_ns("current", ns::CLIENTS);
    }
    x.close();
}

fn write_session(ctx: &Ctx<'_>, x: &mut Xml, session: &Arc<Session>) {
    open(x, &session_name(ctx, session), true, None, session.state().heard);
    // Without a device there are no tokens.
    x.open("auth").leaf("password").close().open("permission").attr("status", "unrestricted").close();
    x.open("user-agent").leaf("software").text_element("device", session.resource()).close();
    if Arc::ptr_eq(session, ctx.session) {
        x.leaf_ns("current", ns::CLIENTS);
    }
    x.close();
}

/// The client that asks signs itself out: it is answered, and then its stream ends. That it knows the password is no matter here.
async fn quit(ctx: &Ctx<'_>) -> Answer {
    ctx.core.forget_client(ctx.session).await.map_err(store_error)?;
    dispatch::result(ctx, Reply::Empty);
    ctx.core.quit(ctx.session).await;
    Ok(Reply::Later)
}

/// Signs a client out: its tokens are void and its sessions end. Who has shown the password can come back with it, which is
/// said as an error.
pub async fn revoke(ctx: &Ctx<'_>, revoke: &Child<'_>) -> Answer {
    let id = revoke.attr("id").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| StanzaError::bad_request().text("Which client?"))?;
    let devices = ctx.core.store.devices(ctx.member.uid).await.map_err(store_error)?;
    let sessions = ctx.core.router.sessions(ctx.member.uid);
    let meant = |name: &str, current: bool| match &*id {
        ALL => !current,
        CURRENT => current,
        id => id == name,
    };
    let devices: Vec<&Device> = devices
        .iter()
        .filter(|device| meant(&device_name(device.id), ctx.session.is_of(device.id)))
        .collect();
    let sessions: Vec<&Arc<Session>> = sessions
        .iter()
        .filter(|session| session.installation.is_none())
        .filter(|session| meant(&session_name(ctx, session), Arc::ptr_eq(session, ctx.session)))
        .collect();
    if devices.is_empty() && sessions.is_empty() {
        return if id == ALL { Ok(Reply::Empty) } else { Err(StanzaError::item_not_found()) };
    }
    let oneself = devices.iter().any(|device| ctx.session.is_of(device.id))
        || sessions.iter().any(|session| Arc::ptr_eq(session, ctx.session));
    if oneself {
        return quit(ctx).await;
    }
    for device in &devices {
        ctx.core.sign_out(ctx.member.uid, device.id).await?;
    }
    // A client that says not which device it is has registered under its resource.
    let ended = |by: &Registrant| {
        by.device.is_none() && sessions.iter().any(|session| session.resource() == by.resource)
    };
    ctx.core.unregister(ctx.member.uid, ended).await.map_err(store_error)?;
    ctx.core.sign_out_sessions(sessions.iter().copied()).await;
    tracing::info!(uid = ctx.member.uid.0, devices = devices.len(), sessions = sessions.len(), "signed out");
    if sessions.is_empty() && !devices.iter().any(|device| device.password) {
        return Ok(Reply::Empty);
    }
    let text = "It is signed out now. It has signed in with your password: change that to keep it out.";
    Err(StanzaError::service_unavailable().app(ns::CAM, "password-reset-required").text(text))
}
