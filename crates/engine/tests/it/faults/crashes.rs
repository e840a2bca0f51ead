//! The engine dies, and another of the same name goes on: at every boundary of every step, and amid
//! every call.

use std::time::Duration;

use upkeep_engine::Boundary;
use upkeep_testkit::sim::Fault;

use crate::case::{Case, Disturbance, play_all, tables};
use crate::stage::Ended;
use crate::table::Way;
use crate::undisturbed::Undisturbed;
use crate::watch::At;

async fn all_end_as_undisturbed(undisturbed: &Undisturbed, cases: Vec<Case>) {
    for (case, report) in play_all(cases).await {
        assert!(report.wrong.is_empty(), "{case:?}: {report:?}");
        assert_eq!(report.restarts, 1, "it did not die: {case:?}: {report:?}");
        assert_eq!(
            report.picture,
            undisturbed.of(&case).picture,
            "{case:?}: {report:?}"
        );
    }
}

fn kills(boundaries: &[Boundary]) -> Vec<Case> {
    let mut cases = Vec::new();
    for table in tables() {
        for (step, &boundary) in table
            .disturbed()
            .flat_map(|step| boundaries.iter().map(move |b| (step, b)))
        {
            let (procedure, step_name) = (table.procedure, step.name);
            let at = At {
                procedure,
                step: step_name,
                boundary,
            };
            cases.push(Case::new(&table, step.way, Disturbance::Kill(at)));
        }
    }
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_killed_anywhere_is_made_good_by_the_next() {
    let undisturbed = Undisturbed::play().await;
    let boundaries = [
        Boundary::BeforeEffect,
        Boundary::AfterEffect,
        Boundary::AfterCommit,
    ];
    let mut cases = kills(&boundaries);
    for call in undisturbed.calls() {
        cases.push(call.once(Fault::HangBefore));
        if call.changes {
            cases.push(call.once(Fault::HangAfter));
        }
    }
    all_end_as_undisturbed(&undisturbed, cases).await;
}

/// Clients have gone on by themselves when the next engine comes, unless the hold was sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_stays_away_longer_than_a_hold_does_no_harm() {
    let lease = Duration::from_millis(400);
    let cases = kills(&[Boundary::BeforeEffect])
        .into_iter()
        .map(|case| Case {
            lease_ms: lease.as_millis() as u64,
            outlives_holds: true,
            ..case
        });
    let mut rolled_back = 0;
    for (case, report) in play_all(cases.collect()).await {
        assert!(report.wrong.is_empty(), "{case:?}: {report:?}");
        assert!(
            matches!(report.ended, Ended::Succeeded | Ended::RolledBack),
            "{case:?}: {report:?}"
        );
        rolled_back += u32::from(case.way == Way::Straight && report.ended == Ended::RolledBack);
    }
    assert!(rolled_back > 0, "no hold came to its end");
}
