//! A maintenance that a person requires: a reason like any other, until it has been done or is taken back. In an
//! emergency it is done now, whatever windows and freezes say.

use jiff::Timestamp;

use super::typed::because_typed;
use super::{Found, Reason};
use crate::refusal::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub by: String,
    pub because: String,
    pub emergency: bool,
    pub since: Timestamp,
}

impl Requirement {
    pub fn found(&self) -> Found {
        let (by, because) = (self.by.clone(), self.because.clone());
        Found {
            reason: if self.emergency {
                Reason::Emergency { by, because }
            } else {
                Reason::Requested { by, because }
            },
            since: self.since,
        }
    }
}

/// Why it is required, from what people type.
///
/// # Errors
/// A refusal that says what was wrong and gives an example.
pub fn typed(because: &str) -> Result<String, Refusal> {
    because_typed(because, "a maintenance", "a disk of its host fails")
}
