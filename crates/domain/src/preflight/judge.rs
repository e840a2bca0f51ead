//! From what is known to a report. Each check is judged by itself; a file has those of one subject.

mod basis;
mod fit;
mod followers;
mod losses;
mod minors;
mod replication;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::BTreeSet;

use super::{Action, Check, Facts, FollowerFacts, Judged, Report, Run, Verdict, Waiver};
use crate::dry_start::DryStart;
use crate::hold::Prepared;
use crate::instance::{InstanceSettings, Observation};
use crate::release::{Release, Version};

/// What a method does, as far as it decides which checks apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// A copy of the data is made on the host.
    pub copies: bool,
    /// Another server takes over.
    pub promotes: bool,
    /// The primary's own clients are held.
    pub holds: bool,
}

impl Way {
    pub const CHANGEOVER: Self = Self {
        copies: true,
        promotes: true,
        holds: true,
    };
    pub const FAILOVER: Self = Self {
        copies: false,
        promotes: true,
        holds: true,
    };
    pub const RESTART: Self = Self {
        copies: false,
        promotes: false,
        holds: true,
    };
    /// Of a follower: what is looked at is its leader, which only gives a copy.
    pub const FOLLOWER: Self = Self {
        copies: true,
        promotes: false,
        holds: false,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub available_bytes: u64,
    pub needed_bytes: u64,
}

/// All that is known when a report is made.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub run: Run,
    pub way: Way,
    pub primary: &'a Observation,
    /// As it is recorded.
    pub release_before: &'a str,
    pub release_after: &'a str,
    /// As they are in the store of releases.
    pub present: Option<&'a Release>,
    pub target: Option<&'a Release>,
    /// What the replacement's plan gives it.
    pub settings: &'a InstanceSettings,
    /// The slot that keeps WAL for the replacement: Upkeep's own, and gone afterwards.
    pub own_slot: Option<&'a str>,
    /// `None` when no more is needed.
    pub room: Option<Room>,
    /// Of the server whose configuration the new one starts with; `None` when it was started already.
    pub dry_start: Option<&'a DryStart>,
    /// `None` when the server could not be asked.
    pub facts: Option<&'a Facts>,
    /// What the endpoint found when it prepared the sessions.
    pub prepared: Option<&'a Prepared>,
    /// Those that could be looked at.
    pub followers: &'a [FollowerFacts],
    /// Logical slots that the next primary could go on with; `None` while it is not there yet.
    pub carried_slots: Option<&'a BTreeSet<String>>,
}

impl Situation<'_> {
    fn versions(&self) -> Option<(Version, Version)> {
        let running = self.facts.and_then(|facts| facts.running);
        let present = running.or(self.present.map(|release| release.version))?;
        Some((present, self.target?.version))
    }
}

/// What one check has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    verdict: Verdict,
    seen: String,
    todo: Option<String>,
}

fn pass(seen: impl Into<String>) -> Word {
    Word {
        verdict: Verdict::Pass,
        seen: seen.into(),
        todo: None,
    }
}

fn warning(seen: impl Into<String>, todo: impl Into<String>) -> Word {
    Word {
        verdict: Verdict::Warning,
        seen: seen.into(),
        todo: Some(todo.into()),
    }
}

fn blocked(seen: impl Into<String>, todo: impl Into<String>) -> Word {
    Word {
        verdict: Verdict::Blocked,
        seen: seen.into(),
        todo: Some(todo.into()),
    }
}

/// Judges everything that applies. A waiver turns what would block into a warning that names it.
pub fn judge(situation: &Situation<'_>, waivers: &[Waiver]) -> Report {
    let actions: Vec<Action> = situation
        .facts
        .map(|facts| minors::actions(situation, facts))
        .unwrap_or_default();
    let judged = |check: Check| {
        let word = word(check, situation, actions.len())?;
        Some(waive(check, word, waivers))
    };
    Report {
        run: situation.run,
        release_before: situation.release_before.to_owned(),
        release_after: situation.release_after.to_owned(),
        checks: Check::ALL.into_iter().filter_map(judged).collect(),
        actions,
    }
}

fn word(check: Check, situation: &Situation<'_>, actions: usize) -> Option<Word> {
    match check {
        Check::Primary => Some(basis::primary(situation)),
        Check::Release => Some(basis::release(situation)),
        Check::Room => basis::room(situation),
        Check::Configuration => situation.dry_start.map(fit::configuration),
        Check::Sessions => situation.prepared.map(traffic::sessions),
        _ => word_of_facts(check, situation, situation.facts?, actions),
    }
}

fn word_of_facts(
    check: Check,
    situation: &Situation<'_>,
    facts: &Facts,
    actions: usize,
) -> Option<Word> {
    let Way {
        copies,
        promotes,
        holds,
    } = situation.way;
    let if_held = |word: Word| holds.then_some(word);
    let if_copied = |word: Word| copies.then_some(word);
    let if_promoted = |word: Word| promotes.then_some(word);
    match check {
        Check::Primary | Check::Release | Check::Room | Check::Configuration | Check::Sessions => {
            None
        }
        Check::Binary => basis::binary(situation, facts),
        Check::Transactions => if_held(traffic::transactions(facts)),
        Check::PreparedTransactions => if_held(losses::prepared_transactions(facts)),
        Check::UnloggedTables => if_promoted(losses::unlogged_tables(facts)),
        Check::LogicalSlots => if_promoted(losses::logical_slots(situation, facts)),
        Check::PhysicalSlots => if_held(replication::physical_slots(situation, facts)),
        Check::SynchronousStandbyNames => {
            if_promoted(replication::synchronous_standby_names(facts))
        }
        Check::SynchronizedStandbySlots => if_held(replication::synchronized_standby_slots(facts)),
        Check::BypassingSessions => if_held(traffic::bypassing_sessions(facts)),
        Check::Archiving => if_held(replication::archiving(facts)),
        Check::Settings => if_copied(fit::settings(situation, facts)),
        Check::Followers => followers::word(situation, facts).filter(|_| holds),
        Check::Tablespaces => if_copied(fit::tablespaces(facts)),
        Check::Extensions => fit::extensions(situation, facts),
        Check::Libraries => fit::libraries(situation, facts),
        Check::Collations => Some(fit::collations(facts)),
        Check::ColumnOptions => Some(fit::column_options(facts)),
        Check::BackgroundJobs => if_held(traffic::background_jobs(facts)),
        Check::RelationFiles => if_promoted(fit::relation_files(facts)),
        Check::MinorReleases => minors::word(situation, facts, actions),
    }
}

fn waive(check: Check, word: Word, waivers: &[Waiver]) -> Judged {
    let waiver = waivers
        .iter()
        .find(|waiver| waiver.check == check && check.waivable())
        .filter(|_| word.verdict == Verdict::Blocked);
    Judged {
        check,
        verdict: if waiver.is_some() {
            Verdict::Warning
        } else {
            word.verdict
        },
        seen: word.seen,
        todo: word.todo,
        waived: waiver.cloned(),
    }
}
