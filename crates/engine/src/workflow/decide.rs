//! From the end of a visit to what comes next: pure, so that it can be read and tested whole.

use upkeep_domain::procedure::{Direction, End, Next, Steps, Verdict};

use super::run::Failure;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision<S> {
    /// Visit `step` as a new visit.
    Go {
        step: S,
        failure: Option<String>,
    },
    /// The same step once more.
    Retry {
        same_visit: bool,
        sentence: String,
    },
    End {
        end: End,
        failure: Option<String>,
    },
    /// Somebody else runs it.
    Leave,
}

/// `tries` counts the failed visits of this step before this one.
pub(super) fn decide<S: Steps>(
    step: S,
    tries: u32,
    result: Result<Verdict, Failure>,
) -> Decision<S> {
    let spec = step.spec();
    match result {
        Ok(verdict) => onwards(step, verdict, None),
        Err(Failure::Stale) => Decision::Leave,
        Err(Failure::Final(sentence)) => onwards(step, Verdict::Failed, Some(sentence)),
        Err(Failure::Failed(sentence)) if tries + 1 < spec.tries => Decision::Retry {
            same_visit: false,
            sentence,
        },
        Err(Failure::Unknown(sentence)) if tries + 1 < spec.tries => Decision::Retry {
            same_visit: true,
            sentence,
        },
        // It may have happened: only a proof that it did not would allow the way back.
        Err(Failure::Failed(sentence) | Failure::Unknown(sentence))
            if spec.direction == Direction::PointOfNoReturn =>
        {
            Decision::End {
                end: End::Stuck,
                failure: Some(sentence),
            }
        }
        Err(Failure::Failed(sentence) | Failure::Unknown(sentence)) => {
            onwards(step, Verdict::Failed, Some(sentence))
        }
    }
}

fn onwards<S: Steps>(step: S, verdict: Verdict, failure: Option<String>) -> Decision<S> {
    match step.next(verdict) {
        Next::Step(step) => Decision::Go { step, failure },
        Next::End(end) => Decision::End { end, failure },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use upkeep_domain::procedure::changeover::Step;

    fn failures() -> [Failure; 3] {
        ["failed", "final", "unknown"].map(|kind| match kind {
            "failed" => Failure::Failed(kind.to_owned()),
            "final" => Failure::Final(kind.to_owned()),
            _ => Failure::Unknown(kind.to_owned()),
        })
    }

    #[test]
    fn a_promotion_that_may_have_been_asked_for_is_never_undone() {
        let last_try = Step::Promote.spec().tries - 1;
        for failure in [
            Failure::Failed(String::new()),
            Failure::Unknown(String::new()),
        ] {
            assert!(matches!(
                decide(Step::Promote, last_try, Err(failure)),
                Decision::End {
                    end: End::Stuck,
                    ..
                }
            ));
        }
    }

    #[test]
    fn a_promotion_that_was_surely_not_asked_for_is() {
        assert_eq!(
            decide(Step::Promote, 0, Err(Failure::Final("dead".to_owned()))),
            Decision::Go {
                step: Step::Rearm,
                failure: Some("dead".to_owned())
            }
        );
    }

    #[test]
    fn what_is_unknown_is_asked_again_under_the_same_name() {
        let unknown = decide(
            Step::Promote,
            0,
            Err(Failure::Unknown("silence".to_owned())),
        );
        assert_eq!(
            unknown,
            Decision::Retry {
                same_visit: true,
                sentence: "silence".to_owned()
            }
        );
    }

    #[test]
    fn failing_for_ever_ends_every_step() {
        for step in Step::ALL {
            for failure in failures() {
                let last = decide(*step, step.spec().tries - 1, Err(failure));
                assert!(!matches!(last, Decision::Retry { .. }), "{step:?}");
            }
        }
    }
}
