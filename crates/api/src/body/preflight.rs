//! What stands in the way of a maintenance, check by check.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// To be done on the new release, because minor releases are skipped.
    pub actions: Vec<PreflightAction>,
    pub checks: Vec<PreflightCheck>,
    pub release_after: String,
    pub release_before: String,
    /// `asked`, `before` or `before_hold`.
    pub run: String,
    /// The worst of all.
    pub verdict: PreflightVerdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreflightVerdict {
    Pass,
    Warning,
    Blocked,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightCheck {
    pub name: String,
    pub seen: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
    pub verdict: PreflightVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
}

/// Who said that it does not matter, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    pub because: String,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightAction {
    pub because: String,
    pub command: String,
    /// The minor release that demands it.
    pub minor: String,
    /// The page of its release notes.
    pub notes: String,
    pub object: String,
}

/// A check that is not to stop a run, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waive {
    pub because: String,
    pub check: String,
}
