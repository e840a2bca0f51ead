//! Why something asked for is not done, free of HTTP, SQL and exit codes.
//!
//! The outer layers translate: `server/reply.rs` into statuses, the CLI into exit codes.

use serde::{Deserialize, Serialize};
use thiserror::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// There is no such thing.
    NotFound,
    /// Who asks may not.
    Forbidden,
    /// It stands against what is there already.
    Conflict,
    /// What was said makes no sense or is not allowed.
    Invalid,
    /// Right, but it takes something away: a person has to confirm it.
    Unconfirmed,
    /// Right, but not now: it is still being made.
    NotReady,
    /// Right, but something else is being done to it.
    Busy,
    /// A part that is needed cannot be reached.
    Unavailable,
    /// A defect of ours.
    Internal,
}

/// A refusal with a sentence that says what was wrong and what to do. It changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{sentence}")]
pub struct Refusal {
    pub kind: RefusalKind,
    pub sentence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Refusal {
    pub fn new(kind: RefusalKind, sentence: impl Into<String>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
            hint: None,
        }
    }

    pub fn not_found(sentence: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotFound, sentence)
    }

    pub fn invalid(sentence: impl Into<String>) -> Self {
        Self::new(RefusalKind::Invalid, sentence)
    }

    pub fn conflict(sentence: impl Into<String>) -> Self {
        Self::new(RefusalKind::Conflict, sentence)
    }

    pub fn unconfirmed(sentence: impl Into<String>) -> Self {
        Self::new(RefusalKind::Unconfirmed, sentence)
    }

    pub fn busy(sentence: impl Into<String>) -> Self {
        Self::new(RefusalKind::Busy, sentence)
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
