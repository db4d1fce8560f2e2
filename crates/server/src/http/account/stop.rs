//! `/account/stop/TICKET`: who gets letters that tell of messages gets no more of them. A mail program does it with one click (RFC
//! 8058), which is a POST; whoever opens the address finds a button, for programs that look at links open them, too.

use super::super::page::{self, document};
use super::super::{Web, refuse};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use rookery_core::store_error;
use rookery_core::ticket::Errand;
use rookery_proto::error::StanzaError;
use rookery_store::Way;
use std::sync::Arc;

/// Where it is.
pub(in super::super) const PATH: &str = "/account/stop/{ticket}";

/// `GET`
pub(in super::super) async fn show(State(web): State<Arc<Web>>, Path(ticket): Path<String>) -> Response {
    match web.server.core.sending_of(Errand::Stop, &ticket).await {
        Ok(Some(sending)) => page::with_button(document("No more mails", |x| {
            x.text_element("h1", "No more of these mails?");
            x.open("p").text("Messages at ").text_element("b", web.domain());
            x.text(" that wait for you are then not told to ").text_element("b", &sending.what.address);
            x.text(" any more.").close();
            x.open("form").attr("method", "post").text_element("button", "No more mails").close();
        })),
        Ok(None) => gone(),
        Err(_) => later(),
    }
}

/// `POST`: whatever the form says.
pub(in super::super) async fn stop(State(web): State<Arc<Web>>, Path(ticket): Path<String>) -> Response {
    match stopped(&web, &ticket).await {
        Ok(true) => page::with_button(document("No more mails", |x| {
            x.text_element("h1", "No more mails");
            x.text_element(
                "p",
                "They are switched off. In the messenger, under How to reach me, they can be had again.",
            );
        })),
        Ok(false) => gone(),
        Err(_) => later(),
    }
}

/// The rules that name the mailbox go; false: the ticket is good for nothing.
async fn stopped(web: &Web, ticket: &str) -> Result<bool, StanzaError> {
    let core = &web.server.core;
    let Some(sending) = core.sending_of(Errand::Stop, ticket).await.map_err(store_error)? else {
        return Ok(false);
    };
    let what = sending.what;
    let Some(mut plan) = core.store.reach_plan(what.uid).await.map_err(store_error)? else { return Ok(true) };
    let before = plan.rules.len();
    plan.rules.retain(|rule| rule.way != Way::Mail || rule.address != what.address);
    if plan.rules.len() < before {
        core.set_reach_plan(what.uid, plan).await?;
        tracing::info!(uid = what.uid.0, "notices by mail were switched off by a letter");
    }
    Ok(true)
}

fn gone() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "This link is not good any more. The messenger's settings have the same switch.",
    )
}

fn later() -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "This does not work at the moment. Try again later.")
}
