//! What skipped minor releases demand of the objects that were found.

use super::{Situation, Word, pass, warning};
use crate::preflight::{Action, Facts, Finding};
use crate::release::Version;
use crate::release::knowledge::{self, Demand};

/// One action an object and command, by the first minor that demands it.
pub(super) fn actions(situation: &Situation<'_>, facts: &Facts) -> Vec<Action> {
    let Some((present, target)) = situation.versions() else {
        return Vec::new();
    };
    let mut actions: Vec<Action> = Vec::new();
    for demand in knowledge::demands(present, target) {
        for found in findings(facts, demand).flat_map(|finding| &finding.found) {
            if actions.iter().any(|known| known.command == found.command) {
                continue;
            }
            actions.push(Action {
                minor: demand.minor,
                object: found.object.clone(),
                command: found.command.clone(),
                because: demand.because.to_owned(),
                notes: knowledge::notes(demand.minor),
            });
        }
    }
    actions
}

fn findings(facts: &Facts, demand: Demand) -> impl Iterator<Item = &Finding> {
    let all = facts.findings.iter();
    all.filter(move |finding| finding.detector == demand.detector)
}

pub(super) fn word(situation: &Situation<'_>, facts: &Facts, actions: usize) -> Option<Word> {
    let (present, target) = situation.versions()?;
    let mut seen = Vec::new();
    let mut todo = Vec::new();
    if actions > 0 {
        let left_out = left_out(facts, present, target);
        let more = if left_out == 0 {
            String::new()
        } else {
            format!(" and {left_out} more like them")
        };
        seen.push(format!(
            "{actions} things{more} are to be done because of skipped minor releases"
        ));
        todo.push("run the commands of the list of actions on the new release".to_owned());
    }
    let failed: Vec<&str> = facts
        .findings
        .iter()
        .filter_map(|finding| finding.failed.as_deref())
        .collect();
    if !failed.is_empty() {
        seen.push(format!(
            "not everything could be looked for: {}",
            failed.join("; ")
        ));
        todo.push("ask again when the server has less to do".to_owned());
    }
    for minor in knowledge::unread(present, target) {
        seen.push(format!("what {minor} demands is not known here in full"));
        todo.push(format!("read {}", knowledge::notes(minor)));
    }
    Some(if seen.is_empty() {
        pass("no skipped minor release demands anything of what is here")
    } else {
        warning(seen.join("; "), todo.join("; "))
    })
}

/// Objects that were found and not listed.
fn left_out(facts: &Facts, present: Version, target: Version) -> u64 {
    let mut detectors: Vec<_> = knowledge::demands(present, target)
        .into_iter()
        .map(|demand| demand.detector)
        .collect();
    detectors.sort();
    detectors.dedup();
    facts
        .findings
        .iter()
        .filter(|finding| detectors.contains(&finding.detector))
        .map(|finding| finding.total.saturating_sub(finding.found.len() as u64))
        .sum()
}
