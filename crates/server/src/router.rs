//! Which path is whose, and what every request passes on its way there.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use tokio::net::TcpListener;
use upkeep_domain::ports::Random;

use crate::backend::Backend;
use crate::{authenticate, data, guard, platform, reply, upkeep};

const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the handlers are given.
#[derive(Clone)]
pub struct Services {
    pub backend: Arc<dyn Backend>,
    /// Names requests that came without an id.
    pub random: Arc<dyn Random>,
}

/// The whole API. The outermost layer stands last.
pub fn router(services: Services) -> Router {
    Router::new()
        .merge(platform::routes())
        .merge(data::routes())
        .merge(upkeep::routes())
        .fallback(async || reply::no_such_path())
        .method_not_allowed_fallback(async || reply::wrong_method())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(
            services.clone(),
            authenticate::authenticate,
        ))
        .merge(upkeep::open_routes())
        .layer(middleware::from_fn(guard::catch_panics))
        .layer(middleware::from_fn(guard::explain))
        .layer(middleware::from_fn_with_state(
            services.clone(),
            guard::name_request,
        ))
        .with_state(services)
}

/// Serves until `stop` is done and the requests that had begun are answered.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    services: Services,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(services))
        .with_graceful_shutdown(stop)
        .await
}
