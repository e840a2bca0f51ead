//! Maintenances. Keys are in alphabetical order, because the client prints them in that order.
//!
//! Heroku's keys are always there, `null` if empty. Ours (`begun_by`, `fell_back`, `felt`, `forecast`,
//! `method_because`, `outcome`, `preflight`, `reason_because`, `release_…`, `schedule_note`, `settings_applied`, `step`,
//! `steps_ms`, `took`, `waiting_for`) are left out when there is nothing to say.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::{Preflight, Waive};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maintenances {
    pub maintenances: Vec<Maintenance>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maintenance {
    pub addon: MaintenanceAddon,
    pub app: AppUuid,
    /// Who asked for the run: an account, or `Upkeep` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<String>,
    pub completed_at: Option<String>,
    pub duration_seconds: Option<u64>,
    /// Why it succeeded only with what its server ran with before, or not at once: a person has to
    /// look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fell_back: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub felt: Option<Felt>,
    /// As it was told before it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    pub method: Option<String>,
    /// Why this method and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_because: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it ended as it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_because: Option<String>,
    /// Of each time it was looked at, the first one first. Not sent with it: see `paths::PREFLIGHTS`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preflight: Vec<Preflight>,
    pub previously_scheduled_for: Option<String>,
    pub reason: Option<String>,
    /// All of its reasons, of one that was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_because: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_before: Option<String>,
    pub required_by: Option<String>,
    /// What has to be known of when it is scheduled for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_note: Option<String>,
    pub scheduled_for: Option<String>,
    pub server_created_at: Option<String>,
    /// Settings that waited for it and took effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings_applied: Vec<AppliedSetting>,
    pub started_at: Option<String>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(default, skip_serializing_if = "StepsMs::is_empty")]
    pub steps_ms: StepsMs,
    /// Once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Took>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    pub window: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    None,
    Pending,
    Preparing,
    Ready,
    Running,
    Completed,
    /// Heroku has no word for it; its client prints what it is told. What is over is not pending.
    RolledBack,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    RolledBack,
    Stuck,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceAddon {
    pub attachments: Vec<String>,
    pub description: String,
    pub kind: String,
    pub name: String,
    pub plan: String,
    pub uuid: Uuid,
    pub window: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppUuid {
    pub name: String,
    pub uuid: Uuid,
}

/// Values are in the setting's own unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedSetting {
    pub after: String,
    pub before: String,
    pub name: String,
}

/// How long it will take, and what clients will feel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Whose earlier runs tell.
    pub because: String,
    pub held_ms: Option<f64>,
    pub preparing_ms: Option<f64>,
    pub run_ms: f64,
    pub write_gap_ms: Option<f64>,
}

/// Without the time that it waited for its window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Took {
    /// None: nothing was built.
    pub preparing_ms: Option<f64>,
    /// All the rest.
    pub run_ms: f64,
}

/// What clients felt of the switch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Felt {
    pub held_ms: f64,
    /// None: too few writes to tell.
    pub longest_write_gap_ms: Option<f64>,
    /// Carried, but with state that could not be read; by reason.
    #[serde(default)]
    pub sessions_at_risk: BTreeMap<String, u32>,
    /// By reason.
    pub sessions_closed: BTreeMap<String, u32>,
    pub sessions_held: u32,
    pub sessions_moved: u32,
    pub statements_failed: u32,
}

/// Heroku's client sends no body; ours may say a method, a release, and what does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMaintenance {
    /// `restart`, `changeover` or `failover`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waive: Vec<Waive>,
}

/// Milliseconds by step, a JSON object in the order in which the steps ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepsMs(pub Vec<(String, f64)>);

impl StepsMs {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for StepsMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (step, ms) in &self.0 {
            map.serialize_entry(step, ms)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for StepsMs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = StepsMs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of milliseconds by step")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StepsMs, A::Error> {
                let mut steps = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    steps.push(entry);
                }
                Ok(StepsMs(steps))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_keep_the_order_in_which_they_ran() {
        let text = r#"{"hold":1.5,"check":2.0,"fence":0.25}"#;
        let steps: StepsMs = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&steps).unwrap(), text);
    }

    #[test]
    fn statuses_and_outcomes_print_as_on_the_wire() {
        assert_eq!(Status::Preparing.to_string(), "preparing");
        assert_eq!(Outcome::RolledBack.to_string(), "rolled_back");
    }
}
