//! What is promised, held against what happened. Each is judged by its own rule, not by the planner's.

use jiff::{SignedDuration, Timestamp};

use super::fleet::Database;
use crate::maintenance::turn::expected_of;
use crate::maintenance::{Policy, freeze};
use crate::plan::Plan;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// For an opening of its own window, no sooner than it has to be prepared, with time to end in it, outside of freezes,
/// and after people were told.
pub(super) fn may_begin(database: &Database, plan: &Plan, policy: &Policy, now: Timestamp) {
    let standing = &database.standing;
    if standing.emergency_since().is_some() {
        return;
    }
    let planned = standing.planned.as_ref().expect("it is planned");
    let opens_at = planned.scheduled_for.expect("it is scheduled");
    let window = standing.window(plan);
    let opening = window.openings(opens_at - SECOND).next().unwrap();
    assert_eq!(
        opening.from, opens_at,
        "no opening of its window: {standing:?}"
    );
    let preparing = expected_of(standing.longest.preparing);
    let begins = now.max(opening.from - preparing);
    let ends = begins + expected_of(standing.longest.run);
    assert!(
        opening.from - preparing <= now && ends <= opening.to,
        "{now}: {standing:?}"
    );
    assert!(
        freeze::is_frozen(&standing.freezes, opening).is_none(),
        "{standing:?}"
    );
    let told_at = database.memory.announced_at.expect("people were told");
    assert!(
        database.memory.is_short || told_at + policy.notice(plan) <= opening.from,
        "told at {told_at}: {standing:?}"
    );
}

/// Clients feel nothing before the window is open, nothing that may end behind it, and nothing in a freeze.
pub(super) fn may_go_on(database: &Database, now: Timestamp) {
    let opening = database.run.as_ref().expect("it runs").opening();
    let ends = now + expected_of(database.standing.longest.run);
    let is_open = opening.from <= now && ends <= opening.to;
    assert!(is_open, "{now}: {:?}", database.standing);
    let freezes = &database.standing.freezes;
    assert!(freeze::is_frozen(freezes, opening).is_none(), "{freezes:?}");
}

/// It was not done for the same reason before, unless that comes again.
pub(super) fn is_done_once(database: &Database, policy: &Policy) {
    let [.., (before, _, at), (after, reason, now)] = &database.memory.done[..] else {
        return;
    };
    let is_wanted = matches!(reason.as_str(), "emergency" | "requested");
    let is_routine = reason == "routine_maintenance" && policy.routine_from(*at) <= *now;
    assert!(
        before != after || is_wanted || is_routine,
        "{:?}",
        database.memory.done
    );
}

/// Nobody is told the same twice.
pub(super) fn notice_is_worth_it(database: &mut Database, told: &'static str) {
    let planned = database.standing.planned.clone();
    let Some(planned) = planned else {
        return;
    };
    let memory = &mut database.memory;
    let before = memory.last_notice.replace((told, planned.clone()));
    let same = before.is_some_and(|(kind, before)| {
        kind == told
            && before.scheduled_for == planned.scheduled_for
            && before.required_by == planned.required_by
            && before.reason_because == planned.reason_because
            && before.schedule_note == planned.schedule_note
    });
    // Each try is told.
    let is_again = told == "maintenance_again";
    assert!(!same || is_again, "told twice: {told} {planned:?}");
}
