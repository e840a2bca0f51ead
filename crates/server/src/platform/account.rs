//! `GET /account`: whose token it is.

use axum::Extension;
use axum::response::Response;
use upkeep_api::body;

use crate::backend::Account;
use crate::reply;

pub(super) async fn show(Extension(account): Extension<Account>) -> Response {
    reply::ok(&body::Account {
        email: account.email,
        id: account.id,
    })
}
