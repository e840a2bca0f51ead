//! Every answer is built here: the one site that chooses an HTTP status.
//!
//! Always JSON, always ASCII: Heroku's client decodes each network chunk by itself and would damage
//! a character that straddles two.

use std::fmt::Write;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use upkeep_api::body::{ErrorBody, id};
use upkeep_domain::refusal::{Refusal, RefusalKind};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(crate) type Reply = Result<Response, Refused>;

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refused(Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, id) = match self.0.kind {
            RefusalKind::NotFound => (StatusCode::NOT_FOUND, id::NOT_FOUND),
            RefusalKind::Forbidden => (StatusCode::FORBIDDEN, id::FORBIDDEN),
            RefusalKind::Conflict => (StatusCode::CONFLICT, id::CONFLICT),
            RefusalKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, id::INVALID),
            RefusalKind::Unconfirmed => (StatusCode::LOCKED, id::CONFIRMATION_REQUIRED),
            RefusalKind::NotReady => (StatusCode::CONFLICT, id::NOT_READY),
            RefusalKind::Busy => (StatusCode::LOCKED, id::BUSY),
            RefusalKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, id::UNAVAILABLE),
            RefusalKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, id::INTERNAL),
        };
        json(status, &ErrorBody::new(id, self.0.sentence, self.0.hint))
    }
}

pub(crate) fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// It is there now.
pub(crate) fn created(body: &impl Serialize) -> Response {
    json(StatusCode::CREATED, body)
}

/// It is taken in hand and goes on after this answer.
pub(crate) fn accepted(body: &impl Serialize) -> Response {
    json(StatusCode::ACCEPTED, body)
}

/// It exists but cannot be shown yet: to Heroku's client a 404 without a body says so.
pub(crate) fn not_yet() -> Response {
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, JSON)]).into_response()
}

pub(crate) fn unauthorized() -> Response {
    json(
        StatusCode::UNAUTHORIZED,
        &ErrorBody::new(id::UNAUTHORIZED, "Invalid credentials provided.", None),
    )
}

pub(crate) fn no_such_path() -> Response {
    json(
        StatusCode::NOT_FOUND,
        &ErrorBody::new(
            id::NOT_FOUND,
            "The requested API endpoint was not found.",
            None,
        ),
    )
}

pub(crate) fn wrong_method() -> Response {
    let sentence = "This endpoint does not take that method.";
    json(
        StatusCode::METHOD_NOT_ALLOWED,
        &ErrorBody::new(id::METHOD_NOT_ALLOWED, sentence, None),
    )
}

pub(crate) fn malformed(what: &str) -> Response {
    let sentence = format!("The request could not be understood: {what}");
    json(
        StatusCode::BAD_REQUEST,
        &ErrorBody::new(id::BAD_REQUEST, sentence, None),
    )
}

pub(crate) fn too_large() -> Response {
    let sentence = "The request is larger than any that has a meaning here.";
    json(
        StatusCode::PAYLOAD_TOO_LARGE,
        &ErrorBody::new(id::TOO_LARGE, sentence, None),
    )
}

/// A defect of ours. What went wrong stands in the log, under the request's id.
pub(crate) fn bug() -> Response {
    let sentence = "Upkeep has a defect: the request was not carried to its end.";
    let hint = "the server's log has the details under the Request-Id of this answer".to_owned();
    json(
        StatusCode::INTERNAL_SERVER_ERROR,
        &ErrorBody::new(id::INTERNAL, sentence, Some(hint)),
    )
}

/// Gives an answer of the framework, which explains nothing in JSON, our own form.
pub(crate) fn explained(answer: Response) -> Response {
    let status = answer.status();
    let ours = answer.headers().get(CONTENT_TYPE) == Some(&JSON);
    match status {
        _ if ours || !(status.is_client_error() || status.is_server_error()) => answer,
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        StatusCode::METHOD_NOT_ALLOWED => wrong_method(),
        _ if status.is_client_error() => {
            malformed("path, query or headers are not as they should be")
        }
        _ => bug(),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).expect("bodies have string keys and no failing parts");
    (status, [(CONTENT_TYPE, JSON)], ascii(&text)).into_response()
}

/// Outside ASCII, JSON has characters only within strings, where an escape may stand for them.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            write!(out, "\\u{unit:04x}").expect("a String takes every write");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_outside_ascii_are_escaped_and_read_back() {
        let text = "Größe 𝄞 ⬢";
        let escaped = ascii(&serde_json::to_string(text).unwrap());
        assert!(escaped.is_ascii(), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }
}
