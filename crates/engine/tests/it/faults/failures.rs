//! What fails: once, for ever, or nobody knows. By loops over every call of every step.

use std::time::Duration;

use upkeep_domain::procedure::Direction;
use upkeep_testkit::sim::Fault;

use crate::case::{Case, Disturbance, play_all};
use crate::stage::Ended;
use crate::table::can_be_undone;
use crate::undisturbed::Undisturbed;

/// All goes on as if it had not been. A step that has one try only is rolled back when it fails; when
/// its question is lost, it may be asked again or rolled back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_or_is_lost_once_does_no_harm() {
    let undisturbed = Undisturbed::play().await;
    let mut cases = Vec::new();
    for call in undisturbed.calls() {
        cases.push(call.once(Fault::Failed));
        cases.push(call.once(Fault::RequestLost));
        if call.changes {
            cases.push(call.once(Fault::FailedAfter));
            cases.push(call.once(Fault::AnswerLost));
        }
    }
    for (case, report) in play_all(cases).await {
        assert!(report.wrong.is_empty(), "{case:?}: {report:?}");
        let one_try = case.disturbed_step().is_some_and(|step| step.tries == 1);
        let lost = matches!(case.disturbance, Disturbance::Once(_, Fault::RequestLost));
        let undone = report.ended == Ended::RolledBack;
        if one_try && (undone || !lost) {
            assert!(undone, "{case:?}: {report:?}");
        } else {
            let expected = &undisturbed.of(&case).picture;
            assert_eq!(&report.picture, expected, "{case:?}: {report:?}");
        }
    }
}

/// Before the point of no return everything is undone; behind it nothing is. Whether it was crossed only a
/// refusal proves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_undone_as_long_as_it_may_be() {
    let undisturbed = Undisturbed::play().await;
    let calls = undisturbed.calls();
    // A look that fails is made again, later in its visit or in the next, where it may be needed no more.
    let effects = calls.iter().filter(|call| call.changes);
    let fail = effects.map(|call| call.for_ever(Fault::Failed));
    let refused = calls.iter().map(|call| call.for_ever(Fault::Refused));
    let mut cases: Vec<_> = refused.chain(fail).collect();
    for case in &mut cases {
        if !is_undone(case) {
            // It is tried again for minutes: what is done meanwhile is looked at.
            case.patience = Duration::from_secs(6);
        }
    }
    for (case, report) in play_all(cases).await {
        assert!(report.wrong.is_empty(), "{case:?}: {report:?}");
        let step = case.disturbed_step().expect("every case has one");
        let allowed: &[Ended] = if case.is_borne() {
            &[Ended::Succeeded]
        } else if is_undone(&case) {
            &[Ended::RolledBack]
        } else if case.table.disposable == Some(step.name) {
            &[Ended::Succeeded]
        } else {
            &[Ended::Stuck, Ended::StillTrying]
        };
        assert!(allowed.contains(&report.ended), "{case:?}: {report:?}");
    }
}

fn is_undone(case: &Case) -> bool {
    let step = case.disturbed_step().expect("every case has one");
    let fails = matches!(case.disturbance, Disturbance::ForEver(_, Fault::Failed));
    let may_be_crossed = fails && step.direction == Direction::PointOfNoReturn;
    can_be_undone(step.direction) && !may_be_crossed && !case.is_asked_of_the_endpoint()
}

#[test]
fn the_loops_see_every_kind_of_step() {
    let tables = crate::case::tables();
    let steps: Vec<_> = tables.iter().flat_map(|table| &table.steps).collect();
    for direction in [
        Direction::Forward,
        Direction::PointOfNoReturn,
        Direction::OnlyForward,
        Direction::Back,
    ] {
        assert!(
            steps.iter().any(|step| step.direction == direction),
            "{direction:?}"
        );
    }
}
