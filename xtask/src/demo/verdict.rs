//! The verdict of a demo: what the clients felt beside what the product says they felt.

use std::fmt;

use serde::Serialize;
use upkeep_testkit::load::{Failure, Notifications, Report, SpecialSession, Tpcb};
use upkeep_testkit::up::{AppliedSetting, Felt, MaintenanceRun};

use super::followers::Followed;
use crate::figures::{count, megabytes, millis};
use crate::stage::Method;
use crate::timeline::{PlacedGap, switch_gap_ms};

/// Everything that was seen of a run.
pub(super) struct Seen {
    pub(super) method: Method,
    /// Followers that came along.
    pub(super) followed: Option<Followed>,
    /// A setting that waited for a restart and did not take effect, in words.
    pub(super) waited_in_vain: Option<String>,
    pub(super) size_bytes: u64,
    pub(super) sessions: u32,
    pub(super) release_before: String,
    pub(super) release_after: String,
    pub(super) release_wanted: String,
    pub(super) run: MaintenanceRun,
    pub(super) report: Report,
    pub(super) gaps: Vec<PlacedGap>,
}

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) promise_held: bool,
    /// In which ways not, in words.
    broken: Vec<String>,
    method: Option<String>,
    method_because: Option<String>,
    settings_applied: Vec<AppliedSetting>,
    /// Both asked from the server, through the endpoint.
    release_before: String,
    release_after: String,
    outcome: Option<String>,
    size_bytes: u64,
    sessions: u32,
    statements_failed: u64,
    connections_dropped: u64,
    commits_acknowledged: u64,
    commits_found: u64,
    commits_lost: u64,
    /// By the clients' own ledgers.
    longest_write_gap_ms: f64,
    /// Of the switch alone; `null` if others were longer than it.
    switch_gap_ms: Option<f64>,
    /// The longest ones, and when they were.
    gaps: Vec<PlacedGap>,
    /// What the product itself says.
    felt: Option<Felt>,
    steps_ms: serde_json::Map<String, serde_json::Value>,
    /// The same in the order in which the steps ran, which a JSON object does not promise.
    steps: Vec<(String, f64)>,
    followers: Option<Followed>,
    special: Vec<SpecialSession>,
    notifications: Option<Notifications>,
    tpcb: Option<Tpcb>,
    failures: Vec<Failure>,
}

impl Verdict {
    pub(super) fn new(seen: Seen) -> Self {
        let Seen { run, report, .. } = seen;
        let mut broken = report.broken();
        if run.outcome.as_deref() != Some("succeeded") {
            let because = run.outcome_because.as_deref().unwrap_or("no reason given");
            let outcome = run.outcome.as_deref().unwrap_or("no outcome");
            broken.push(format!("the maintenance: {outcome}, {because}"));
        }
        let fell_back = run.fell_back.as_ref();
        broken.extend(fell_back.map(|because| format!("the maintenance fell back: {because}")));
        if run.method.as_deref() != Some(seen.method.as_str()) {
            let method = run.method.as_deref().unwrap_or("no method");
            broken.push(format!("it was a {method}, not a {}", seen.method.as_str()));
        }
        broken.extend(seen.waited_in_vain);
        if let Some(Followed { releases, read }) = &seen.followed {
            broken.extend(read.broken());
            let stayed = releases.iter().filter(|on| **on != seen.release_wanted);
            broken.extend(stayed.map(|on| format!("a follower is on {on}")));
        }
        let stayed = seen.method != Method::Restart && seen.release_after == seen.release_before;
        if seen.release_after != seen.release_wanted || stayed {
            broken.push(format!(
                "the server runs {}, wanted was {}",
                seen.release_after, seen.release_wanted
            ));
        }
        let steps = run.steps_ms;
        let steps_ms = steps
            .iter()
            .map(|(step, ms)| (step.clone(), (*ms).into()))
            .collect();
        Self {
            promise_held: broken.is_empty(),
            broken,
            method: run.method,
            method_because: run.method_because,
            settings_applied: run.settings_applied,
            release_before: seen.release_before,
            release_after: seen.release_after,
            outcome: run.outcome,
            size_bytes: seen.size_bytes,
            sessions: seen.sessions,
            statements_failed: report.statements_failed,
            connections_dropped: report.connections_dropped,
            commits_acknowledged: report.commits_acknowledged,
            commits_found: report.commits_found,
            commits_lost: report.commits_lost,
            longest_write_gap_ms: report.longest_write_gap_ms,
            switch_gap_ms: switch_gap_ms(&seen.gaps),
            gaps: seen.gaps,
            felt: run.felt,
            steps_ms,
            steps,
            followers: seen.followed,
            special: report.special,
            notifications: report.notifications,
            tpcb: report.tpcb,
            failures: report.failures,
        }
    }

    fn headline(&self) -> &'static str {
        if self.promise_held {
            "The promise held: no application noticed."
        } else {
            "The promise was BROKEN."
        }
    }

    /// By the clients' own ledgers.
    fn longest_gap(&self) -> String {
        let ms = millis(self.longest_write_gap_ms);
        match self.gaps.first() {
            Some(gap) if gap.during != "switch" => {
                let switch = self.switch_gap_ms.map_or("less".to_owned(), millis);
                format!("{ms}, during {}; the switch itself: {switch}", gap.during)
            }
            _ => ms,
        }
    }

    fn endpoint_gap(felt: &Felt) -> String {
        let longest = felt
            .longest_write_gap_ms
            .map_or("unknown".to_owned(), millis);
        format!(
            "{longest} of the switch; clients were held for {}",
            millis(felt.held_ms)
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: &str| writeln!(f, "  {name:<20} {value}");
        if let (Some(method), Some(because)) = (&self.method, &self.method_because) {
            row("method", &format!("{method}, because {because}"))?;
        }
        for setting in &self.settings_applied {
            let AppliedSetting {
                name,
                before,
                after,
            } = setting;
            row("setting applied", &format!("{name}: {before} -> {after}"))?;
        }
        row(
            "release",
            &format!("{} -> {}", self.release_before, self.release_after),
        )?;
        row("database", &megabytes(self.size_bytes))?;
        row("longest write gap", &self.longest_gap())?;
        if let Some(felt) = &self.felt {
            row("  by the endpoint", &Self::endpoint_gap(felt))?;
        }
        row("statements failed", &count(self.statements_failed))?;
        let dropped = format!("{} of {}", self.connections_dropped, self.sessions);
        row("connections dropped", &dropped)?;
        let (told, found) = (count(self.commits_acknowledged), count(self.commits_found));
        row(
            "commits",
            &format!(
                "{told} acknowledged, {found} found, {} lost",
                self.commits_lost
            ),
        )?;
        if let Some(tpcb) = &self.tpcb {
            let sums = if tpcb.sums_agree {
                "sums agree"
            } else {
                "sums DISAGREE"
            };
            let transactions = count(tpcb.transactions);
            row(
                "TPC-B",
                &format!("{transactions} transactions, {:.0} tps, {sums}", tpcb.tps),
            )?;
        }
        if let Some(felt) = &self.felt {
            let closed: u32 = felt.sessions_closed.values().sum();
            let (held, moved) = (felt.sessions_held, felt.sessions_moved);
            row(
                "sessions",
                &format!("{held} held, {moved} moved, {closed} closed"),
            )?;
        }
        if let Some(Followed { releases, read }) = &self.followers {
            row("followers", &format!("on {}", releases.join(", ")))?;
            let (failed, dropped) = (read.statements_failed, read.connections_dropped);
            let told = format!(
                "{} answers to {} sessions, {failed} failed, {dropped} dropped, longest gap {}",
                count(read.answers),
                read.sessions,
                millis(read.longest_gap_ms)
            );
            row("  their readers", &told)?;
        }
        for (place, session) in self.special.iter().enumerate() {
            let name = if place == 0 { "special sessions" } else { "" };
            let kept = if session.kept { "unchanged" } else { "CHANGED" };
            row(
                name,
                &format!("{kept:<10} {:<28} {}", session.name, session.note),
            )?;
        }
        for (place, (step, ms)) in self.steps.iter().enumerate() {
            let name = if place == 0 { "time by step" } else { "" };
            row(name, &format!("{:>10} {step}", millis(*ms)))?;
        }
        for (place, breach) in self.broken.iter().enumerate() {
            row(if place == 0 { "broken" } else { "" }, breach)?;
        }
        for failure in &self.failures {
            row(
                "",
                &format!("{}: {}: {}", failure.client, failure.tried, failure.message),
            )?;
        }
        writeln!(f, "\n{}", self.headline())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(release_after: &str, outcome: &str) -> Seen {
        Seen {
            size_bytes: 200_000_000,
            sessions: 66,
            release_before: "15.18".to_owned(),
            release_after: release_after.to_owned(),
            release_wanted: "15.20".to_owned(),
            method: Method::Changeover,
            followed: None,
            waited_in_vain: None,
            run: MaintenanceRun {
                method: Some("changeover".to_owned()),
                method_because: None,
                settings_applied: vec![],
                outcome: Some(outcome.to_owned()),
                outcome_because: None,
                fell_back: None,
                release_before: None,
                release_after: None,
                felt: None,
                steps_ms: vec![("hold".to_owned(), 1.0), ("fence".to_owned(), 0.5)],
            },
            report: Report {
                commits_acknowledged: 1_000,
                commits_found: 1_000,
                ..Report::default()
            },
            gaps: vec![],
        }
    }

    #[test]
    fn the_promise_holds_only_if_the_release_changed() {
        assert!(Verdict::new(seen("15.20", "succeeded")).promise_held);
        let stayed = Verdict::new(seen("15.18", "succeeded"));
        assert_eq!(stayed.broken, ["the server runs 15.18, wanted was 15.20"]);
        let back = Verdict::new(seen("15.18", "rolled_back"));
        assert_eq!(back.broken.len(), 2, "{:?}", back.broken);
    }

    #[test]
    fn a_restart_may_stay_on_its_release_but_has_to_apply_what_waited() {
        let restarted = |waited_in_vain: Option<&str>| {
            let mut seen = seen("15.18", "succeeded");
            seen.method = Method::Restart;
            seen.release_wanted = "15.18".to_owned();
            seen.waited_in_vain = waited_in_vain.map(str::to_owned);
            seen.run.method = Some("restart".to_owned());
            Verdict::new(seen)
        };
        assert!(restarted(None).promise_held);
        let in_vain = restarted(Some("work_mem is 4MB"));
        assert_eq!(in_vain.broken, ["work_mem is 4MB"]);
    }

    #[test]
    fn the_table_shows_steps_in_their_order_and_ends_with_the_verdict() {
        let table = Verdict::new(seen("15.20", "succeeded")).to_string();
        assert!(table.find("hold") < table.find("fence"), "{table}");
        assert!(
            table.ends_with("The promise held: no application noticed.\n"),
            "{table}"
        );
        let json = serde_json::to_value(Verdict::new(seen("15.18", "succeeded"))).unwrap();
        assert_eq!(json["promise_held"], false);
        assert_eq!(json["commits_lost"], 0);
    }
}
