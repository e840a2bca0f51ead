//! The agent's Unix socket: HTTP with the domain's types as JSON. Who may use it is decided by the
//! file system: the socket is for its owner alone.

use std::io;
use std::path::Path;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use nix::sys::stat::Mode;
use tokio::net::UnixListener;
use upkeep_domain::host_command::{Answer, Envelope, HostError, HostQuery, Outcome};

use crate::Agent;

/// A listener that only we (and root) can connect to. A socket that a dead agent left is replaced.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        let sentence = format!("another agent listens on `{}`", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, sentence));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // The folder is closed to others already; this is for those who open it up.
    nix::sys::stat::fchmodat(
        nix::fcntl::AT_FDCWD,
        path,
        Mode::S_IRUSR | Mode::S_IWUSR,
        nix::sys::stat::FchmodatFlags::FollowSymlink,
    )?;
    Ok(listener)
}

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
