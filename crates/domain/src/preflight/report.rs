//! The report: each check with what was seen, a verdict, and what to do.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::{Check, Waiver};
use crate::release::Version;

/// When a report was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// While it is planned, so that people know in time.
    Ahead,
    /// Because a person wanted to know; nothing follows.
    Asked,
    /// Before anything is changed.
    Before,
    /// Again before clients are held: preparing may have taken hours.
    BeforeHold,
}

impl Run {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Asked => "asked",
            Self::Before => "before",
            Self::BeforeHold => "before_hold",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    /// To be known; it does not stop a run.
    Warning,
    Blocked,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warning => "warning",
            Self::Blocked => "blocked",
        }
    }
}

/// One check, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    pub check: Check,
    pub verdict: Verdict,
    pub seen: String,
    pub todo: Option<String>,
    /// It would block, but a person has said that it does not matter.
    pub waived: Option<Waiver>,
}

/// Something to be done because a minor release is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub minor: Version,
    pub object: String,
    pub command: String,
    pub because: String,
    /// The page of the release notes.
    pub notes: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub run: Run,
    pub release_before: String,
    pub release_after: String,
    pub checks: Vec<Judged>,
    /// To be done on the new release, in the order of the minors that demand it.
    pub actions: Vec<Action>,
}

impl Report {
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.checks.iter().map(|judged| judged.verdict);
        verdicts.max().unwrap_or(Verdict::Pass)
    }

    /// Why it cannot go on, in a sentence; `None` when nothing blocks.
    pub fn blocked(&self) -> Option<String> {
        let blocked = self
            .checks
            .iter()
            .filter(|judged| judged.verdict == Verdict::Blocked);
        let sentences: Vec<String> = blocked.map(Judged::sentence).collect();
        (!sentences.is_empty()).then(|| sentences.join("; "))
    }

    /// What people have to know, what blocks first.
    pub fn obstacles(&self) -> Vec<&Judged> {
        let checks = self.checks.iter();
        let mut obstacles: Vec<_> = checks
            .filter(|judged| judged.verdict > Verdict::Pass)
            .collect();
        obstacles.sort_by_key(|judged| Reverse(judged.verdict));
        obstacles
    }

    pub fn find(&self, check: Check) -> Option<&Judged> {
        self.checks.iter().find(|judged| judged.check == check)
    }
}

impl Judged {
    fn sentence(&self) -> String {
        match &self.todo {
            Some(todo) => format!("{} ({todo})", self.seen),
            None => self.seen.clone(),
        }
    }
}
