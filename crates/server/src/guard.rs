//! What every request passes: it is given an id, a panic is answered, and no answer is mute.

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::reply;
use crate::request::{AlsoTold, RequestId, ToldBefore};
use crate::router::Services;

/// The first UUID of `Request-Id` names the wish; without one it gets a name of ours.
pub(crate) async fn name_request(
    State(services): State<Services>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(upkeep_api::REQUEST_ID);
    let mut given = given.into_iter().flat_map(uuids);
    let id = given.next().flatten();
    let id = id.unwrap_or_else(|| services.random.uuid());
    let told = ToldBefore(given.flatten().collect());
    request.extensions_mut().insert(RequestId(id));
    request.extensions_mut().insert(told);
    let mut answer = next.run(request).await;
    let also = answer.extensions().get::<AlsoTold>().copied();
    let ids = match also {
        Some(AlsoTold(also)) => format!("{id},{also}"),
        None => id.to_string(),
    };
    let value = HeaderValue::try_from(ids).expect("a UUID is ASCII");
    answer.headers_mut().insert(upkeep_api::REQUEST_ID, value);
    answer
}

fn uuids(value: &HeaderValue) -> impl Iterator<Item = Option<Uuid>> {
    let words = value.to_str().unwrap_or_default().split(',');
    words.map(|word| word.trim().parse().ok())
}

/// Without this a panic drops the connection, which clients take for a network fault and send the
/// request five times more. In a task of its own a request is also carried on when its client goes.
pub(crate) async fn catch_panics(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0);
    // Not the path itself: the one of a calendar lets in who knows it.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|route| route.as_str().to_owned());
    match tokio::spawn(next.run(request)).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(request_id = ?id, route, %error, "handler panicked");
            reply::bug()
        }
    }
}

/// Answers that the framework makes by itself carry plain text; clients want our JSON.
pub(crate) async fn explain(request: Request, next: Next) -> Response {
    reply::explained(next.run(request).await)
}
