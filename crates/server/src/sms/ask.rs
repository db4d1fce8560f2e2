//! Requests to providers of short messages.

use crate::http::client::{Bounds, Client, Error};
use axum::body::Body;
use axum::http::header::RETRY_AFTER;
use axum::http::{Request as HttpRequest, Response};
use bytes::Bytes;
use rookery_gateway::sms::http::{Answered, Ask, Asking, NoAnswer, Request};
use rookery_gateway::sms::limits;
use std::sync::Arc;
use std::time::Duration;

/// What one request may take.
const BOUNDS: Bounds = Bounds { time: limits::HTTP_TIME, body: limits::HTTP_ANSWER };

/// Makes requests by this client.
pub fn through(client: Client) -> Arc<Ask> {
    Arc::new(move |request| -> Asking {
        let client = client.clone();
        Box::pin(async move {
            let Some(request) = made(request) else {
                return Err(NoAnswer::Unsent("what the template makes is no request".to_owned()));
            };
            match client.send(request, BOUNDS).await {
                Ok(response) => Ok(answered(response)),
                Err(error @ (Error::Busy | Error::Dial(_))) => Err(NoAnswer::Unsent(error.to_string())),
                Err(error @ (Error::TimedOut | Error::TooLarge | Error::Broken(_))) => {
                    Err(NoAnswer::Lost(error.to_string()))
                }
            }
        })
    })
}

fn made(request: Request) -> Option<HttpRequest<Body>> {
    let mut made = HttpRequest::builder().method(request.method.name()).uri(request.url);
    for (name, value) in request.headers {
        made = made.header(name, value);
    }
    made.body(Body::from(request.body)).ok()
}

fn answered(response: Response<Bytes>) -> Answered {
    let after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Answered {
        status: response.status().as_u16(),
        retry_after: after.map(Duration::from_secs),
        body: response.into_body().into(),
    }
}
