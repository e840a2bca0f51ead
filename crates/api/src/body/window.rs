//! Windows, and when a maintenance is scheduled for. Keys are in alphabetical order, as the client prints them.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub previous_window: Option<String>,
    pub previously_scheduled_at: Option<String>,
    pub scheduled_at: Option<String>,
    pub window: Option<String>,
}

/// As typed: the server understands it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateWindow {
    pub day_of_week: String,
    pub time_of_day: String,
    /// UTC when not given; Heroku knows no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// One of the two, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// From when it is scheduled for, or from now. Text, for Heroku's client sends it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_weeks: Option<String>,
    /// A date in the week that is wanted. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    pub previously_scheduled_for: Option<String>,
    pub required_by: Option<String>,
    pub scheduled_for: Option<String>,
    pub window: Option<String>,
}
