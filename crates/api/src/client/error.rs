//! How a call can fail. Only [`Error::Refused`] means that the server understood it.

use thiserror::Error;

use crate::body::ErrorBody;

#[derive(Debug, Error)]
pub enum Error {
    #[error("`{url}` is not the address of a server: use `http://HOST:PORT` or `unix:/PATH`")]
    BadUrl { url: String },
    #[error("the token has characters that no token has")]
    BadToken,
    #[error("set up the HTTP client")]
    Build { source: reqwest::Error },
    #[error("no answer from the server at `{url}`")]
    Unreachable { url: String, source: reqwest::Error },
    #[error("{}", body.sentence())]
    Refused { status: u16, body: ErrorBody },
    /// The empty 404: it is there, but not usable yet.
    #[error("it is not provisioned yet")]
    NotYet,
    #[error("the server answered `{what}` with HTTP status {status} and no explanation")]
    Unexplained { what: String, status: u16 },
    #[error("understand the answer to `{what}`")]
    BadAnswer {
        what: String,
        source: serde_json::Error,
    },
}
