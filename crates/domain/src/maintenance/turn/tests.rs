//! The rule over a table of moments, and over random ones.

use proptest::prelude::*;

use super::*;
use crate::maintenance::freeze::{Period, Scope};
use crate::maintenance::{Zone, window};

const OPENS: &str = "2030-01-15T18:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// On the day of the opening, which ends at 22:00.
fn clock(time: &str) -> Timestamp {
    at(&format!("2030-01-15T{time}:00Z"))
}

fn opening() -> Interval {
    Interval::new(at(OPENS), at(OPENS) + window::LENGTH)
}

fn without_preparing(run: SignedDuration) -> Expected {
    Expected {
        preparing: SignedDuration::ZERO,
        run,
    }
}

fn turn(now: Timestamp) -> Turn<'static> {
    Turn {
        now,
        opening: opening(),
        expected: without_preparing(AT_LEAST),
        freezes: &[],
        rolled_back: None,
        waits_for: None,
    }
}

fn rolled_back(times: u32, last: &str) -> RolledBack {
    RolledBack {
        times,
        last_at: clock(last),
        because: Some("a copy broke off".to_owned()),
        called_off_by: None,
    }
}

fn missed(verdict: Verdict<'_>) -> String {
    match verdict {
        Verdict::Missed(missed) => missed.to_string(),
        other => panic!("it is not missed: {other:?}"),
    }
}

#[test]
fn it_is_begun_in_its_window_as_long_as_there_is_time_for_it() {
    let begin = Verdict::Begin {
        from: clock("18:00"),
        until: clock("21:45"),
    };
    for (now, expected) in [
        ("17:59", Verdict::NotYet),
        ("18:00", begin),
        ("21:45", begin),
        (
            "21:46",
            Verdict::Missed(Missed::NotBegun { waits_for: None }),
        ),
        (
            "23:00",
            Verdict::Missed(Missed::NotBegun { waits_for: None }),
        ),
    ] {
        assert_eq!(turn(clock(now)).verdict(), expected, "{now}");
    }
    let long = Turn {
        expected: without_preparing(SignedDuration::from_hours(3)),
        ..turn(clock("19:01"))
    };
    assert!(missed(long.verdict()).contains("not begun in time"));
    let endless = Turn {
        expected: without_preparing(SignedDuration::MAX),
        ..turn(clock("18:00"))
    };
    assert!(missed(endless.verdict()).contains("not begun in time"));
}

#[test]
fn what_takes_long_to_prepare_is_begun_before_its_window_and_ends_in_it() {
    let turn = |now| Turn {
        expected: Expected {
            preparing: SignedDuration::from_hours(6),
            run: SignedDuration::from_mins(30),
        },
        ..turn(clock(now))
    };
    let begin = Verdict::Begin {
        from: clock("12:00"),
        until: clock("15:30"),
    };
    assert_eq!(turn("11:59").verdict(), Verdict::NotYet);
    assert_eq!(turn("12:00").verdict(), begin);
    assert_eq!(turn("15:30").verdict(), begin);
    assert!(missed(turn("15:31").verdict()).contains("not begun in time"));
    let runs = RolledBack {
        called_off_by: Some("ama@example.com".to_owned()),
        ..rolled_back(1, "13:00")
    };
    let called_off = Turn {
        rolled_back: Some(&runs),
        ..turn("13:10")
    };
    assert!(missed(called_off.verdict()).contains("called off"));
}

#[test]
fn what_was_rolled_back_is_tried_again_after_a_while_that_grows_as_long_as_time_is_left() {
    let begin = Verdict::Begin {
        from: clock("18:00"),
        until: clock("21:45"),
    };
    let again = |time| Verdict::Again { at: clock(time) };
    for (times, last, now, expected) in [
        (1, "18:10", "18:10", again("18:15")),
        (1, "18:10", "18:15", begin),
        (2, "18:20", "18:29", again("18:30")),
        (3, "18:40", "18:59", again("19:00")),
        (9, "20:00", "20:59", again("21:00")),
        (9, "20:00", "21:00", begin),
        // Its clock went back since.
        (1, "20:00", "19:00", again("20:05")),
    ] {
        let runs = rolled_back(times, last);
        let turn = Turn {
            rolled_back: Some(&runs),
            ..turn(clock(now))
        };
        assert_eq!(turn.verdict(), expected, "{times} {last} {now}");
    }
    let runs = rolled_back(2, "21:36");
    let turn = Turn {
        rolled_back: Some(&runs),
        ..turn(clock("21:36"))
    };
    assert_eq!(
        missed(turn.verdict()),
        "it was rolled back 2 times, and no time was left to try again (a copy broke off)"
    );
}

#[test]
fn what_a_person_called_off_is_not_tried_again_in_the_same_window() {
    let runs = RolledBack {
        called_off_by: Some("ama@example.com".to_owned()),
        ..rolled_back(1, "18:10")
    };
    let turn = Turn {
        rolled_back: Some(&runs),
        ..turn(clock("18:20"))
    };
    let Verdict::Missed(why) = turn.verdict() else {
        panic!("it is missed");
    };
    assert_eq!(
        missed_note(turn.opening, &why),
        "missed its window of 2030-01-15 18:00 UTC: it was called off by ama@example.com"
    );
}

#[test]
fn nothing_is_begun_in_a_freeze_and_what_kept_it_is_told() {
    let closing = Freeze {
        scope: Scope::Fleet,
        period: Period::Once {
            from: "2030-01-15T21:00:00".parse().unwrap(),
            to: "2030-01-16T08:00:00".parse().unwrap(),
        },
        zone: Zone::UTC,
        because: "closing".to_owned(),
    };
    let freezes = [closing];
    let frozen = Turn {
        freezes: &freezes,
        ..turn(clock("18:30"))
    };
    assert!(missed(frozen.verdict()).contains("in a freeze (closing"));
    let kept = Turn {
        waits_for: Some("another one runs"),
        ..turn(clock("22:00"))
    };
    assert_eq!(
        missed(kept.verdict()),
        "it could not be begun in time (another one runs)"
    );
}

#[test]
fn a_run_is_expected_to_take_half_as_long_again_as_the_longest_one_and_no_less_than_a_quarter_of_an_hour()
 {
    let minutes = SignedDuration::from_mins;
    for (longest, expected) in [
        (None, minutes(15)),
        (Some(minutes(2)), minutes(15)),
        (Some(minutes(60)), minutes(90)),
        (Some(SignedDuration::MAX), SignedDuration::MAX),
    ] {
        assert_eq!(expected_of(longest), expected, "{longest:?}");
    }
    let waits: Vec<_> = (0..6).map(|times| back_off(times).as_mins()).collect();
    assert_eq!(waits, [0, 5, 10, 20, 40, 60]);
    assert_eq!(back_off(u32::MAX), minutes(60));
}

proptest! {
    #[test]
    fn whatever_is_begun_is_prepared_before_its_window_and_ends_within_it(
        now in -400_i64..400,
        preparing in 0_i64..400,
        run in 0_i64..400,
        times in 0_u32..20,
        last in 0_i64..400,
    ) {
        let minute = |count| at(OPENS) + SignedDuration::from_mins(count);
        let runs = RolledBack { times, last_at: minute(last), because: None, called_off_by: None };
        let turn = Turn {
            expected: Expected {
                preparing: SignedDuration::from_mins(preparing),
                run: SignedDuration::from_mins(run),
            },
            rolled_back: (times > 0).then_some(&runs),
            ..turn(minute(now))
        };
        let takes = SignedDuration::from_mins(preparing + run);
        match turn.verdict() {
            Verdict::NotYet => prop_assert!(now < -preparing),
            Verdict::Begin { from, until } => {
                prop_assert!(from <= turn.now && turn.now <= until);
                prop_assert_eq!(from + SignedDuration::from_mins(preparing), turn.opening.from);
                prop_assert_eq!(until + takes, turn.opening.to);
                prop_assert!(times == 0 || minute(last) + back_off(times) <= turn.now);
            }
            Verdict::Again { at } => {
                prop_assert!(turn.now < at && at + takes <= turn.opening.to);
            }
            Verdict::Missed(_) => {
                let next = if times > 0 { minute(last) + back_off(times) } else { turn.now };
                prop_assert!(next.max(turn.now) + takes > turn.opening.to);
            }
        }
    }
}
