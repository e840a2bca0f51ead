//! Who is at work: transactions, sessions, and jobs inside the server.

use std::collections::BTreeMap;

use super::{Word, pass, warning};
use crate::hold::Prepared;
use crate::preflight::Facts;

/// A hold waits that long for transactions to end.
const TRANSACTION_AGE_MS_MAX: u64 = 2_000;

pub(super) fn transactions(facts: &Facts) -> Word {
    match &facts.oldest_transaction {
        Some(oldest) if oldest.age_ms > TRANSACTION_AGE_MS_MAX => warning(
            format!(
                "a transaction of {} has been open for {} s",
                oldest.who,
                oldest.age_ms / 1_000
            ),
            "end it before, or keep it short: the switch waits for it up to ten minutes, then is given up",
        ),
        _ => pass("no long transaction"),
    }
}

pub(super) fn bypassing_sessions(facts: &Facts) -> Word {
    let sessions = &facts.bypassing_sessions;
    if sessions.is_empty() {
        return pass("every client comes through the endpoint");
    }
    warning(
        format!("sessions that do not come through the endpoint: {sessions}"),
        "end them, or let them come through the endpoint: they are cut off, and while they write the switch may be given up",
    )
}

pub(super) fn sessions(prepared: &Prepared) -> Word {
    let by_reason = |reasons: &BTreeMap<String, u32>| -> Vec<String> {
        let all = reasons.iter();
        all.map(|(reason, count)| format!("{count} {reason}"))
            .collect()
    };
    let mut seen = Vec::new();
    if !prepared.unmovable.is_empty() {
        let reasons = by_reason(&prepared.unmovable).join(", ");
        seen.push(format!("sessions that will be closed: {reasons}"));
    }
    if !prepared.at_risk.is_empty() {
        let reasons = by_reason(&prepared.at_risk).join(", ");
        seen.push(format!(
            "sessions whose state cannot be read whole: {reasons}"
        ));
    }
    if seen.is_empty() {
        return pass(format!("all {} sessions can be carried", prepared.sessions));
    }
    warning(
        seen.join("; "),
        "their clients are told to reconnect (57P01), or may miss state that they had set",
    )
}

pub(super) fn background_jobs(facts: &Facts) -> Word {
    let jobs = &facts.background_jobs;
    if jobs.is_empty() {
        return pass("no background jobs inside the server");
    }
    warning(
        format!("background jobs inside the server: {jobs}"),
        "see that a job that is cut off by the switch is run again: nobody holds it",
    )
}
