//! What `data:maintenances:run --wait` says in the end, as far as demo, benchmarks and tests look
//! at it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaintenanceRun {
    pub method: Option<String>,
    pub method_because: Option<String>,
    pub outcome: Option<String>,
    pub outcome_because: Option<String>,
    /// It succeeded, but not as asked.
    pub fell_back: Option<String>,
    pub release_before: Option<String>,
    pub release_after: Option<String>,
    pub felt: Option<Felt>,
    #[serde(default)]
    pub settings_applied: Vec<AppliedSetting>,
    /// In the order in which the steps ran.
    #[serde(default, deserialize_with = "in_order")]
    pub steps_ms: Vec<(String, f64)>,
}

/// A setting that waited for the maintenance and took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedSetting {
    pub name: String,
    pub before: String,
    pub after: String,
}

/// What the endpoint says its clients felt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Felt {
    pub longest_write_gap_ms: Option<f64>,
    pub held_ms: f64,
    pub sessions_held: u32,
    pub sessions_moved: u32,
    #[serde(default)]
    pub sessions_closed: BTreeMap<String, u32>,
    #[serde(default)]
    pub sessions_at_risk: BTreeMap<String, u32>,
    pub statements_failed: u32,
}

/// A JSON object as pairs, because a map would sort them.
fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, f64)>, D::Error> {
    struct Pairs;

    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, f64)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of milliseconds by step")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_read_with_its_steps_in_order_and_without_what_it_left_out() {
        let said = r#"{"addon":{},"outcome":"succeeded","release_before":"15.18",
            "release_after":"15.20","steps_ms":{"hold":1.5,"check":2},"felt":{"held_ms":30.0,
            "longest_write_gap_ms":null,"sessions_closed":{},"sessions_held":9,"sessions_moved":9,
            "statements_failed":0}}"#;
        let run: MaintenanceRun = serde_json::from_str(said).unwrap();
        assert_eq!(
            run.steps_ms,
            [("hold".to_owned(), 1.5), ("check".to_owned(), 2.0)]
        );
        assert_eq!(run.outcome_because, None);
        assert_eq!(run.felt.map(|felt| felt.sessions_moved), Some(9));
    }
}
