//! The agent's Unix socket: HTTP with the domain's types as JSON. Who may use it is decided by the
//! file system, that is by whoever binds the listener.

use std::io;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use tokio::net::UnixListener;
use upkeep_domain::host_command::{Answer, Envelope, HostError, HostQuery, Outcome};

use crate::Agent;

/// Serves until the future is dropped.
pub async fn serve(agent: Agent, listener: UnixListener) -> io::Result<()> {
    let routes = Router::new()
        .route("/command", post(command))
        .route("/query", post(query))
        .with_state(agent);
    axum::serve(listener, routes).await
}

async fn command(
    State(agent): State<Agent>,
    Json(envelope): Json<Envelope>,
) -> Json<Result<Outcome, HostError>> {
    Json(agent.command(envelope).await)
}

async fn query(
    State(agent): State<Agent>,
    Json(query): Json<HostQuery>,
) -> Json<Result<Answer, HostError>> {
    Json(agent.query(query).await)
}
