//! Why an opening is not taken, in words.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::told;
use crate::maintenance::Freeze;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Objection<'a> {
    Begun,
    NotPrepared { ready_at: Timestamp },
    TooShort { run: SignedDuration },
    TooLate { required_by: Timestamp },
    Frozen(&'a Freeze),
}

/// Half a sentence.
impl fmt::Display for Objection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => f.write_str("that window has begun already"),
            Self::NotPrepared { ready_at } => write!(
                f,
                "the replacement will not be ready before about {}",
                told(*ready_at)
            ),
            Self::TooShort { run } => {
                let minutes = run.as_mins();
                write!(
                    f,
                    "the maintenance will take about {minutes} minutes, longer than a window"
                )
            }
            Self::TooLate { required_by } => write!(
                f,
                "it ends after the maintenance is required, {}",
                told(*required_by)
            ),
            Self::Frozen(freeze) => write!(f, "it is in a freeze ({freeze})"),
        }
    }
}
