//! The small pictures of link previews: drawn by us, and served like uploads, as nothing that runs.

use super::upload::{SAFE, kept_nowhere};
use super::{Web, refuse};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Where they are, by their names ([`crate::previews::PATH`]).
pub(super) const PATH: &str = "/preview/{name}";

/// A picture, if it is remembered.
pub(super) async fn picture(State(web): State<Arc<Web>>, Path(name): Path<String>, uri: Uri) -> Response {
    let answer = match web.previews.as_ref().and_then(|previews| previews.picture(&name)) {
        Some(picture) => ([(header::CONTENT_TYPE, "image/jpeg")], SAFE, picture).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "There is no such picture here, or not any more."),
    };
    kept_nowhere(&uri, answer)
}
