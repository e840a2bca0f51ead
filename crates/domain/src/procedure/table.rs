//! Reading the step tables: the picture for `docs/workflows.md`, and the proofs about all of them.

use std::fmt::Write;

use super::{Direction, Next, Steps, VERDICTS, Verdict};

/// A Markdown table of the procedure: printed into `docs/workflows.md`, checked by a test.
pub fn markdown<S: Steps>() -> String {
    let mut out = format!("### {}\n\n", S::PROCEDURE);
    out.push_str("| step | what people read | limit | tries | then | if it fails | clients |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for step in S::ALL {
        let spec = step.spec();
        let name = match spec.direction {
            Direction::PointOfNoReturn => format!("**{}** (point of no return)", spec.name),
            Direction::Back => format!("_{}_", spec.name),
            Direction::Forward | Direction::OnlyForward => spec.name.to_owned(),
        };
        writeln!(
            out,
            "| {name} | {} | {} s | {} | {} | {} | {} |",
            spec.sentence,
            spec.deadline.as_secs(),
            spec.tries,
            way_on(step.next(Verdict::Done)),
            way_on(step.next(Verdict::Failed)),
            if spec.holds_clients { "held" } else { "" },
        )
        .expect("a String takes every write");
        if step.next(Verdict::Again) != step.next(Verdict::Failed) {
            writeln!(
                out,
                "| | if the world moved under it: {} | | | | | |",
                way_on(step.next(Verdict::Again))
            )
            .expect("a String takes every write");
        }
    }
    out
}

fn way_on<S: Steps>(next: Next<S>) -> String {
    match next {
        Next::Step(step) => step.spec().name.to_owned(),
        Next::End(end) => format!("*{end}*"),
    }
}

/// Every step that can be reached from `step`, itself included.
pub fn reachable<S: Steps>(step: S) -> Vec<S> {
    let mut seen = vec![step];
    let mut at = 0;
    while at < seen.len() {
        for verdict in VERDICTS {
            if let Next::Step(next) = seen[at].next(verdict)
                && !seen.contains(&next)
            {
                seen.push(next);
            }
        }
        at += 1;
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::super::{
        End, changeover, destroy, failover, follow, follower_changeover, provision, restart,
        standby, unfollow,
    };
    use super::*;

    fn names_are_unique_and_read_back<S: Steps>() {
        for step in S::ALL {
            assert_eq!(S::named(step.spec().name), Some(*step));
        }
    }

    fn every_way_ends<S: Steps>() {
        for step in S::ALL {
            let ends = reachable(*step)
                .iter()
                .flat_map(|s| VERDICTS.map(|v| s.next(v)))
                .any(|next| matches!(next, Next::End(_)));
            assert!(ends, "{step:?} leads nowhere");
        }
        assert_eq!(
            reachable(S::ALL[0]).len(),
            S::ALL.len(),
            "a step that is never reached"
        );
    }

    fn success_alone_never_goes_in_a_circle<S: Steps>() {
        for step in S::ALL {
            let mut at = *step;
            let mut steps = 0;
            while let Next::Step(next) = at.next(Verdict::Done) {
                at = next;
                steps += 1;
                assert!(steps <= S::ALL.len(), "{step:?} goes in a circle");
            }
        }
    }

    fn nothing_behind_the_point_of_no_return_rolls_back<S: Steps>() {
        for step in S::ALL
            .iter()
            .filter(|s| s.spec().direction == Direction::OnlyForward)
        {
            for reached in reachable(*step) {
                assert_ne!(
                    reached.spec().direction,
                    Direction::Back,
                    "{step:?} can be undone by {reached:?}"
                );
                for verdict in VERDICTS {
                    assert_ne!(
                        reached.next(verdict),
                        Next::End(End::RolledBack),
                        "{reached:?}"
                    );
                }
            }
        }
    }

    fn all_hold<S: Steps>() {
        names_are_unique_and_read_back::<S>();
        every_way_ends::<S>();
        success_alone_never_goes_in_a_circle::<S>();
        nothing_behind_the_point_of_no_return_rolls_back::<S>();
    }

    #[test]
    fn every_procedure_keeps_the_rules_of_tables() {
        all_hold::<provision::Step>();
        all_hold::<changeover::Step>();
        all_hold::<restart::Step>();
        all_hold::<failover::Step>();
        all_hold::<standby::Step>();
        all_hold::<follow::Step>();
        all_hold::<follower_changeover::Step>();
        all_hold::<unfollow::Step>();
        all_hold::<destroy::Step>();
    }

    /// On every path from the hold to an end other than *stuck* the clients are released once.
    #[test]
    fn every_way_that_holds_clients_releases_them() {
        fn walk<S: Steps>(step: S, releases: &[S], depth: usize) {
            if releases.contains(&step) {
                return;
            }
            assert!(depth < 3 * S::ALL.len());
            for verdict in VERDICTS {
                match step.next(verdict) {
                    Next::End(End::Stuck) => {}
                    Next::End(end) => panic!("{step:?} ends as {end} with clients held"),
                    Next::Step(next) if verdict == Verdict::Again => {
                        // The only circle: its rounds are counted by the engine.
                        if let Next::Step(back) = next.next(Verdict::Failed) {
                            walk(back, releases, depth + 1);
                        }
                    }
                    Next::Step(next) => walk(next, releases, depth + 1),
                }
            }
        }
        use changeover::Step as Changeover;
        walk(
            Changeover::Hold,
            &[Changeover::Release, Changeover::ReleaseOld],
            0,
        );
        use failover::Step as Failover;
        walk(
            Failover::Hold,
            &[Failover::Release, Failover::ReleaseOld],
            0,
        );
        use follower_changeover::Step as Follower;
        walk(
            Follower::Hold,
            &[Follower::Release, Follower::ReleaseOld],
            0,
        );
        use restart::Step as Restart;
        walk(Restart::Hold, &[Restart::Release, Restart::GoOn], 0);
    }

    fn named<S: Steps>(name: &str) -> S {
        S::named(name).unwrap_or_else(|| panic!("{} has no `{name}`", S::PROCEDURE))
    }

    #[test]
    fn a_fenced_primary_is_thawed_before_anyone_goes_back_to_it() {
        fn holds<S: Steps>() {
            for step in ["fence", "unfence", "disarm", "promote"] {
                let next = named::<S>(step).next(Verdict::Failed);
                assert_eq!(next, Next::Step(named::<S>("rearm")));
            }
            for (step, next) in [("rearm", "thaw"), ("thaw", "release_old")] {
                let after = named::<S>(step).next(Verdict::Done);
                assert_eq!(after, Next::Step(named::<S>(next)));
            }
        }
        holds::<changeover::Step>();
        holds::<failover::Step>();
    }

    /// Whatever comes between, the switch is the same.
    #[test]
    fn a_failover_switches_as_a_changeover_does() {
        fn way<S: Steps>() -> Vec<&'static str> {
            let mut at = named::<S>("checkpoint");
            let mut way = vec![at.spec().name];
            while at.spec().name != "prove" {
                let Next::Step(next) = at.next(Verdict::Done) else {
                    panic!("{at:?} ends it");
                };
                way.push(next.spec().name);
                at = next;
            }
            way
        }
        let switch = way::<changeover::Step>();
        assert_eq!(switch, way::<failover::Step>());
        for name in switch {
            let (one, other) = (
                named::<changeover::Step>(name).spec(),
                named::<failover::Step>(name).spec(),
            );
            let same = one.deadline == other.deadline
                && one.tries == other.tries
                && one.holds_clients == other.holds_clients
                && one.direction == other.direction;
            assert!(same, "{name}");
        }
    }
}
