//! How every refusal looks on the wire.

use serde::{Deserialize, Serialize};

/// The ids of errors. Heroku's where it has one.
pub mod id {
    pub const BAD_REQUEST: &str = "bad_request";
    pub const UNAUTHORIZED: &str = "unauthorized";
    pub const FORBIDDEN: &str = "forbidden";
    pub const NOT_FOUND: &str = "not_found";
    pub const METHOD_NOT_ALLOWED: &str = "method_not_allowed";
    pub const CONFLICT: &str = "conflict";
    /// Heroku's client then asks for the app's name, and sends the same again with it.
    pub const CONFIRMATION_REQUIRED: &str = "confirmation_required";
    pub const TOO_LARGE: &str = "request_too_large";
    pub const INVALID: &str = "invalid_params";
    pub const NOT_READY: &str = "not_ready";
    pub const BUSY: &str = "busy";
    pub const INTERNAL: &str = "internal_server_error";
    pub const UNAVAILABLE: &str = "service_unavailable";
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What to do about it. Already part of `message`, which is all that Heroku's client prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    pub id: String,
    pub message: String,
    /// `message` without the hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
}

impl ErrorBody {
    pub fn new(id: &str, sentence: impl Into<String>, hint: Option<String>) -> Self {
        let sentence = sentence.into();
        let id = id.to_owned();
        match hint {
            None => Self {
                hint: None,
                id,
                message: sentence,
                sentence: None,
            },
            Some(hint) => Self {
                message: format!("{sentence}\n{hint}"),
                hint: Some(hint),
                id,
                sentence: Some(sentence),
            },
        }
    }

    pub fn sentence(&self) -> &str {
        self.sentence.as_deref().unwrap_or(&self.message)
    }
}
