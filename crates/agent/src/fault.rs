//! From errors inside to what a controller is told.

use std::error::Error;

use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::HostError;
use upkeep_domain::refusal::{Refusal, RefusalKind};

/// It was tried and did not work.
pub(crate) trait OrFailed<T> {
    fn or_failed(self) -> Result<T, HostError>;
}

impl<T, E: Error + 'static> OrFailed<T> for Result<T, E> {
    fn or_failed(self) -> Result<T, HostError> {
        self.map_err(|error| failed(ErrorChain(&error).to_string()))
    }
}

pub(crate) fn failed(sentence: impl Into<String>) -> HostError {
    HostError::Failed {
        sentence: sentence.into(),
    }
}

/// Nothing was changed.
pub(crate) fn refused(kind: RefusalKind, sentence: impl Into<String>) -> HostError {
    Refusal::new(kind, sentence).into_error()
}

pub(crate) trait IntoError {
    fn into_error(self) -> HostError;
}

impl IntoError for Refusal {
    fn into_error(self) -> HostError {
        HostError::Refused { refusal: self }
    }
}
