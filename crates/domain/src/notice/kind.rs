//! What there is to tell of a maintenance.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Scheduled,
    /// Its time, its method or what it is for is another than people were told.
    Changed,
    /// By people, or with the window.
    Moved,
    /// It is done now, whatever windows and freezes say.
    Emergency,
    /// It comes near.
    Reminder,
    Started,
    Succeeded,
    RolledBack,
    /// Rolled back, and planned again.
    Again,
    Stuck,
    /// Its window passed, and it could not be done.
    Missed,
    /// There is no reason for it any more.
    Withdrawn,
}

pub(super) const KINDS: [Kind; 12] = [
    Kind::Scheduled,
    Kind::Changed,
    Kind::Moved,
    Kind::Emergency,
    Kind::Reminder,
    Kind::Started,
    Kind::Succeeded,
    Kind::RolledBack,
    Kind::Again,
    Kind::Stuck,
    Kind::Missed,
    Kind::Withdrawn,
];

impl Kind {
    /// As rows have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "maintenance_scheduled",
            Self::Changed => "maintenance_changed",
            Self::Moved => "maintenance_moved",
            Self::Emergency => "maintenance_emergency",
            Self::Reminder => "maintenance_reminder",
            Self::Started => "maintenance_started",
            Self::Succeeded => "maintenance_succeeded",
            Self::RolledBack => "maintenance_rolled_back",
            Self::Again => "maintenance_again",
            Self::Stuck => "maintenance_stuck",
            Self::Missed => "maintenance_missed",
            Self::Withdrawn => "maintenance_withdrawn",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it is about what will be.
    pub fn is_ahead(self) -> bool {
        match self {
            Self::Scheduled | Self::Changed | Self::Moved | Self::Reminder | Self::Missed => true,
            Self::Emergency
            | Self::Started
            | Self::Succeeded
            | Self::RolledBack
            | Self::Again
            | Self::Stuck
            | Self::Withdrawn => false,
        }
    }

    /// As rows have them.
    pub fn of_what_is_ahead() -> Vec<&'static str> {
        let ahead = KINDS.iter().filter(|kind| kind.is_ahead());
        ahead.map(|kind| kind.as_str()).collect()
    }

    /// Whether a letter is written. What is tried again was told with what went wrong.
    pub fn is_written_to_people(self) -> bool {
        self != Self::Again
    }

    /// Plans without a window are maintained without a notice; only what needs a person is told, and
    /// only to those who run the fleet.
    pub fn is_told_of_every_plan(self) -> bool {
        self == Self::Stuck
    }
}
