//! The control socket: calls come in as HTTP, and are made on the [`Directory`].
//!
//! A call runs to its end in a task of its own: a caller that goes away half-way must not leave
//! clients half-way between held and released.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use upkeep_domain::hold::{Felt, GateState, HoldReply, Prepared};
use upkeep_domain::ports::{Traffic, TrafficError};

use crate::calls::{
    AskFelt, AskStatus, Call, Forget, Hold, Prepare, ReadSessions, Release, Renew, Seal, SetRoute,
};
use crate::directory::Directory;
use crate::status::DatabaseStatus;

type Reply<T> = Json<Result<T, TrafficError>>;
type Doors = State<Arc<Directory>>;

pub(crate) fn router(directory: Arc<Directory>) -> Router {
    Router::new()
        .route(SetRoute::PATH, post(route))
        .route(Forget::PATH, post(forget))
        .route(Prepare::PATH, post(prepare))
        .route(ReadSessions::PATH, post(read_sessions))
        .route(Hold::PATH, post(hold))
        .route(Renew::PATH, post(renew))
        .route(Seal::PATH, post(seal))
        .route(Release::PATH, post(release))
        .route(AskFelt::PATH, post(felt))
        .route(AskStatus::PATH, post(status))
        .with_state(directory)
}

async fn to_its_end<T: Send + 'static>(
    call: impl Future<Output = Result<T, TrafficError>> + Send + 'static,
) -> Reply<T> {
    let outcome = tokio::spawn(call).await;
    Json(outcome.unwrap_or_else(|ended| {
        let sentence = format!("the call ended early: {ended}");
        Err(TrafficError::Unknown { sentence })
    }))
}

async fn route(State(directory): Doors, Json(call): Json<SetRoute>) -> Reply<()> {
    to_its_end(async move { directory.route(&call.route).await }).await
}

async fn forget(State(directory): Doors, Json(call): Json<Forget>) -> Reply<()> {
    to_its_end(async move { directory.forget(&call.dbname, call.fence).await }).await
}

async fn prepare(State(directory): Doors, Json(call): Json<Prepare>) -> Reply<Prepared> {
    to_its_end(async move {
        let Prepare {
            dbname,
            fence,
            replacement,
        } = call;
        directory.prepare(&dbname, fence, &replacement).await
    })
    .await
}

async fn read_sessions(State(directory): Doors, Json(call): Json<ReadSessions>) -> Reply<Prepared> {
    to_its_end(async move { directory.read_sessions(&call.dbname).await }).await
}

async fn hold(State(directory): Doors, Json(call): Json<Hold>) -> Reply<HoldReply> {
    to_its_end(async move { directory.hold(&call.dbname, call.fence, &call.limits).await }).await
}

async fn renew(State(directory): Doors, Json(call): Json<Renew>) -> Reply<GateState> {
    to_its_end(async move { directory.renew(&call.dbname, call.fence).await }).await
}

async fn seal(State(directory): Doors, Json(call): Json<Seal>) -> Reply<()> {
    to_its_end(async move { directory.seal(&call.dbname, call.fence).await }).await
}

async fn release(State(directory): Doors, Json(call): Json<Release>) -> Reply<()> {
    to_its_end(async move {
        directory
            .release(&call.dbname, call.fence, &call.onto)
            .await
    })
    .await
}

async fn felt(State(directory): Doors, Json(call): Json<AskFelt>) -> Reply<Option<Felt>> {
    to_its_end(async move { directory.felt(&call.dbname).await }).await
}

async fn status(State(directory): Doors, Json(_): Json<AskStatus>) -> Reply<Vec<DatabaseStatus>> {
    Json(Ok(directory.status()))
}
