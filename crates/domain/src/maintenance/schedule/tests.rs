//! Which opening is chosen: tables for people, and all rules at once against a search through every opening.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::maintenance::freeze::{Period, Scope};
use crate::maintenance::{Zone, window};
use crate::refusal::{Refusal, RefusalKind};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn freeze(from: &str, to: &str) -> Freeze {
    Freeze {
        scope: Scope::Fleet,
        period: Period::typed(from, to).unwrap(),
        zone: Zone::UTC,
        because: "closing".to_owned(),
    }
}

fn window(day: &str, time: &str) -> Window {
    Window::typed(day, time, Zone::UTC).unwrap()
}

/// 2030-01-01 is a Tuesday.
fn terms<'a>(window: &'a Window, now: &str, required_by: &str, freezes: &'a [Freeze]) -> Terms<'a> {
    Terms {
        now: at(now),
        window,
        notice: hours(7 * 24),
        required_by: at(required_by),
        freezes,
        expected: Expected::default(),
    }
}

#[test]
fn the_first_window_behind_the_notice_is_taken() {
    let tuesdays = window("tue", "17:30");
    let closing = [freeze("2030-01-08", "2030-01-15")];
    let christmas = [freeze("12-20", "01-15")];
    #[rustfmt::skip]
    let table: [(&str, &str, &[Freeze], &str, bool); 10] = [
        // now, required_by, freezes                                    -> begins, with a short notice
        ("2030-01-01T12:00:00Z", "2030-01-31T00:00:00Z", &[],            "2030-01-08T17:30:00Z", false),
        ("2030-01-01T17:30:00Z", "2030-01-31T00:00:00Z", &[],            "2030-01-08T17:30:00Z", false),
        ("2030-01-01T17:30:01Z", "2030-01-31T00:00:00Z", &[],            "2030-01-15T17:30:00Z", false),
        // it ends at the very moment
        ("2030-01-01T17:30:01Z", "2030-01-15T21:30:00Z", &[],            "2030-01-15T17:30:00Z", false),
        // a second too late: the week before, without the whole notice
        ("2030-01-01T17:30:01Z", "2030-01-15T21:29:59Z", &[],            "2030-01-08T17:30:00Z", true),
        // around a freeze
        ("2030-01-01T12:00:00Z", "2030-01-31T00:00:00Z", &closing,       "2030-01-22T17:30:00Z", false),
        ("2029-12-10T12:00:00Z", "2030-01-31T00:00:00Z", &christmas,     "2029-12-18T17:30:00Z", false),
        ("2029-12-12T12:00:00Z", "2030-01-31T00:00:00Z", &christmas,     "2030-01-22T17:30:00Z", false),
        // the freeze leaves only what comes before the notice is over
        ("2030-01-01T12:00:00Z", "2030-01-20T00:00:00Z", &closing,       "2030-01-01T17:30:00Z", true),
        ("2029-12-12T12:00:00Z", "2030-01-10T00:00:00Z", &christmas,     "2029-12-18T17:30:00Z", true),
    ];
    for (now, required_by, freezes, begins, short_notice) in table {
        let scheduled = schedule(&terms(&tuesdays, now, required_by, freezes)).unwrap();
        assert_eq!(scheduled.opening.from, at(begins), "{now} {required_by}");
        assert_eq!(scheduled.short_notice, short_notice, "{now} {required_by}");
        assert_eq!(scheduled.note().is_some(), short_notice);
    }
}

#[test]
fn a_replacement_has_time_to_be_built_and_the_run_to_end() {
    let tuesdays = window("tue", "17:30");
    let mut terms = terms(
        &tuesdays,
        "2030-01-01T12:00:00Z",
        "2030-01-31T00:00:00Z",
        &[],
    );
    terms.expected.preparing = hours(10 * 24);
    let begins = schedule(&terms).unwrap().opening.from;
    assert_eq!(begins, at("2030-01-15T17:30:00Z"));
    terms.expected.run = hours(4);
    assert!(schedule(&terms).is_ok());
    terms.expected.run = hours(5);
    let cannot_fit = schedule(&terms).unwrap_err();
    assert!(
        cannot_fit
            .because
            .ends_with("about 300 minutes, longer than a window")
    );
    assert_eq!(cannot_fit.overdue, None);
}

#[test]
fn what_fits_nowhere_says_why_and_which_window_is_the_first_afterwards() {
    let tuesdays = window("tue", "17:30");
    let closing = [freeze("2029-12-20", "2030-01-20")];
    let always = [freeze("01-01", "12-31")];
    let none: &[Freeze] = &[];
    #[rustfmt::skip]
        let table = [
        // now, required_by, freezes, hours of preparing
        ("2030-01-01T18:00:00Z", "2030-01-08T20:00:00Z", none, 0,       "no window ends before it is required, 2030-01-08 20:00 UTC", Some("2030-01-08T17:30:00Z")),
        ("2030-01-01T12:00:00Z", "2029-12-31T00:00:00Z", none, 0,       "no window ends before it is required, 2029-12-31 00:00 UTC", Some("2030-01-01T17:30:00Z")),
        ("2030-01-01T12:00:00Z", "2030-01-16T00:00:00Z", &closing[..], 0,  "the last window before it is required, 2030-01-15 17:30 UTC, is not possible: it is in a freeze (closing, from 2029-12-20 00:00 to 2030-01-21 00:00 UTC)", Some("2030-01-22T17:30:00Z")),
        ("2030-01-01T12:00:00Z", "2030-01-02T00:00:00Z", none, 6,       "the last window before it is required, 2030-01-01 17:30 UTC, is not possible: the replacement will not be ready before about 2030-01-01 18:00 UTC", Some("2030-01-08T17:30:00Z")),
        ("2030-01-01T12:00:00Z", "2030-01-02T00:00:00Z", &always[..], 0,   "the last window before it is required, 2030-01-01 17:30 UTC, is not possible: it is in a freeze (closing, every year from 01-01 to 12-31 UTC)", None),
    ];
    for (now, required_by, freezes, preparing, because, overdue) in table {
        let mut terms = terms(&tuesdays, now, required_by, freezes);
        terms.expected.preparing = hours(preparing);
        let cannot_fit = schedule(&terms).unwrap_err();
        assert_eq!(cannot_fit.because, because);
        assert_eq!(
            cannot_fit.overdue.map(|o| o.from),
            overdue.map(at),
            "{because}"
        );
    }
}

#[test]
fn weeks_are_whole_numbers_that_somebody_can_mean_or_dates() {
    for text in ["2", "-2", "0", " 1 ", "+1", "53"] {
        assert!(Week::later(text).is_ok(), "{text}");
    }
    for text in [
        "NaN",
        "abc",
        "",
        "1.5",
        "54",
        "-54",
        "99999999999999",
        "2 weeks",
    ] {
        let refusal = Week::later(text).unwrap_err();
        assert!(refusal.sentence.contains(text), "{refusal:?}");
        assert!(refusal.hint.unwrap().contains("--week"));
    }
    assert!(Week::of("2030-01-20").is_ok());
    for text in ["2030-02-30", "tomorrow", "20.1.2030", ""] {
        let refusal = Week::of(text).unwrap_err();
        assert_eq!(refusal.sentence, format!("`{text}` is not a date"));
    }
}

fn delayed(terms: &Terms<'_>, scheduled_for: &str, weeks: &str) -> Result<Timestamp, Refusal> {
    in_week(terms, Some(at(scheduled_for)), Week::later(weeks)?).map(|opening| opening.from)
}

#[test]
fn a_person_may_choose_the_week() {
    let tuesdays = window("tue", "17:30");
    let terms = terms(
        &tuesdays,
        "2030-01-02T12:00:00Z",
        "2030-02-01T00:00:00Z",
        &[],
    );
    for (weeks, begins) in [
        ("0", "2030-01-15T17:30:00Z"),
        ("1", "2030-01-22T17:30:00Z"),
        ("2", "2030-01-29T17:30:00Z"),
        // without a notice, for it is their own wish
        ("-1", "2030-01-08T17:30:00Z"),
    ] {
        assert_eq!(
            delayed(&terms, "2030-01-15T17:30:00Z", weeks),
            Ok(at(begins)),
            "{weeks}"
        );
    }
    // Nothing is planned: weeks count from now, and begin on Sunday.
    let sundays = window("sun", "13:30");
    let terms = Terms {
        window: &sundays,
        ..terms
    };
    let next = in_week(&terms, None, Week::Later(1)).unwrap();
    assert_eq!(next.from, at("2030-01-06T13:30:00Z"));
    // The week of a date, whatever was planned.
    for (date, begins) in [
        ("2030-01-19", "2030-01-13T13:30:00Z"),
        ("2030-01-20", "2030-01-20T13:30:00Z"),
        ("2030-01-26", "2030-01-20T13:30:00Z"),
    ] {
        let planned = at("2030-01-27T13:30:00Z");
        let moved = in_week(&terms, Some(planned), Week::of(date).unwrap()).unwrap();
        assert_eq!(moved.from, at(begins), "{date}");
    }
}

#[test]
fn a_week_that_cannot_be_is_refused_with_those_that_can() {
    let tuesdays = window("tue", "17:30");
    let closing = [freeze("2030-01-20", "2030-01-25")];
    let mut terms = terms(
        &tuesdays,
        "2030-01-02T12:00:00Z",
        "2030-02-01T00:00:00Z",
        &closing,
    );
    terms.expected.preparing = hours(6 * 24 + 12);
    let fitting = "windows that fit go from 2030-01-15 17:30 UTC to 2030-01-29 17:30 UTC";
    for (weeks, kind, word) in [
        ("-2", RefusalKind::Invalid, "that window has begun already"),
        (
            "-1",
            RefusalKind::NotReady,
            "will not be ready before about 2030-01-09 00:00 UTC",
        ),
        ("1", RefusalKind::Conflict, "in a freeze (closing"),
        (
            "3",
            RefusalKind::Invalid,
            "after the maintenance is required, 2030-02-01 00:00 UTC",
        ),
    ] {
        let refusal = delayed(&terms, "2030-01-15T17:30:00Z", weeks).unwrap_err();
        assert_eq!(refusal.kind, kind, "{refusal:?}");
        assert!(refusal.sentence.contains(word), "{refusal:?}");
        assert_eq!(refusal.hint.as_deref(), Some(fitting));
    }
    for (required_by, hint) in [
        (
            "2030-01-16T00:00:00Z",
            "the only window that fits is 2030-01-15 17:30 UTC",
        ),
        (
            "2030-01-14T00:00:00Z",
            "no window fits: run it by hand with data:maintenances:run",
        ),
    ] {
        let terms = Terms {
            required_by: at(required_by),
            ..terms
        };
        let refusal = delayed(&terms, "2030-01-15T17:30:00Z", "1").unwrap_err();
        assert_eq!(refusal.hint.as_deref(), Some(hint));
    }
}

#[test]
fn another_window_moves_what_is_planned_within_its_week_if_it_can() {
    let closing = [freeze("2030-01-19", "2030-01-20")];
    #[rustfmt::skip]
    let table: [(&str, &str, &str, &[Freeze], &str); 6] = [
        // day, now, required_by, freezes                                     -> begins
        ("sun", "2030-01-02T12:00:00Z", "2030-01-27T00:00:00Z", &[],          "2030-01-20T13:30:00Z"),
        ("mon", "2030-01-02T12:00:00Z", "2030-01-27T00:00:00Z", &[],          "2030-01-14T13:30:00Z"),
        // that week's is over, frozen, or too late
        ("mon", "2030-01-14T18:00:00Z", "2030-01-27T00:00:00Z", &[],          "2030-01-21T13:30:00Z"),
        ("sun", "2030-01-02T12:00:00Z", "2030-01-31T00:00:00Z", &closing,     "2030-01-27T13:30:00Z"),
        ("sun", "2030-01-02T12:00:00Z", "2030-01-18T00:00:00Z", &[],          "2030-01-13T13:30:00Z"),
        // overdue as it is
        ("sun", "2030-01-14T12:00:00Z", "2030-01-10T00:00:00Z", &[],          "2030-01-20T13:30:00Z"),
    ];
    for (day, now, required_by, freezes, begins) in table {
        let new = window(day, "13:30");
        let terms = terms(&new, now, required_by, freezes);
        let moved = after_window_change(&terms, Some(at("2030-01-15T17:30:00Z"))).unwrap();
        assert_eq!(moved.from, at(begins), "{day} {now} {required_by}");
        let is_late = terms.required_by < terms.now;
        assert_eq!(overdue_note(&terms, moved).is_some(), is_late);
    }
}

#[test]
fn a_window_that_ends_only_after_the_maintenance_is_required_is_refused() {
    let sundays = window("sun", "13:30");
    let terms = terms(
        &sundays,
        "2030-01-14T12:00:00Z",
        "2030-01-18T00:00:00Z",
        &[],
    );
    let refusal = after_window_change(&terms, Some(at("2030-01-15T17:30:00Z"))).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Invalid);
    assert_eq!(
        refusal.sentence,
        "the window cannot be Sundays 13:30 to 17:30 UTC now: no window ends before it is required, 2030-01-18 00:00 UTC"
    );
    assert!(refusal.hint.is_some());
}

prop_compose! {
    fn any_window()(zone in 0_usize..600, day in 0_usize..7, half_hour in 0..48) -> Window {
        let zones: Vec<Zone> = Zone::all().collect();
        let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day];
        let time = format!("{}:{:02}", half_hour / 2, half_hour % 2 * 30);
        Window::typed(day, &time, zones[zone % zones.len()].clone()).unwrap()
    }
}

prop_compose! {
    fn any_freeze(now: Timestamp)(begin in -20_i64..60, days in 0_i64..15, yearly: bool) -> Freeze {
        let date = |day: i64| (now + hours(24 * day)).strftime(if yearly { "%m-%d" } else { "%F" });
        freeze(&date(begin).to_string(), &date(begin + days).to_string())
    }
}

prop_compose! {
    fn any_now()(second in 631_152_000_i64..2_208_988_800) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
}

/// Now, window, freezes, and hours from now: notice, required by, preparing, run.
type Drawn = (Timestamp, Window, Vec<Freeze>, [i64; 4]);

fn drawn() -> impl Strategy<Value = Drawn> {
    any_now().prop_flat_map(|now| {
        let freezes = prop::collection::vec(any_freeze(now), 0..4);
        let hours = [0_i64..14 * 24, -100..70 * 24, 0..12 * 24, 0..5];
        (Just(now), any_window(), freezes, hours)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_is_chosen_keeps_every_promise_and_nothing_is_left_out(
        (now, window, freezes, [notice, required, preparing, run]) in drawn()
    ) {
        let terms = Terms {
            now,
            window: &window,
            notice: hours(notice),
            required_by: now + hours(required),
            freezes: &freezes,
            expected: Expected { preparing: hours(preparing), run: hours(run) },
        };
        let possible = |opening: &Interval| {
            let frozen = freezes.iter().any(|freeze| freeze.stretch_over(*opening).is_some());
            opening.from >= now + hours(preparing) && run <= 4 && !frozen
        };
        let in_time = |opening: &Interval| opening.to <= terms.required_by;
        let begins = |opening: Interval| opening.from;
        let all: Vec<Interval> = window.openings(now).take(60).filter(possible).collect();
        let good: Vec<Interval> = all.iter().copied().filter(in_time).collect();
        match schedule(&terms) {
            Ok(Scheduled { opening, short_notice }) => {
                prop_assert!(good.contains(&opening));
                prop_assert_eq!(opening.duration(), window::LENGTH);
                prop_assert_eq!(short_notice, opening.from < now + hours(notice));
                let noticed = |opening: &&Interval| opening.from >= now + hours(notice);
                let expected = good.iter().find(noticed).or(good.last());
                prop_assert_eq!(Some(&opening), expected);
                let moved = after_window_change(&terms, Some(opening.from)).unwrap();
                prop_assert_eq!(moved, opening, "the window has not changed");
                prop_assert_eq!(in_week(&terms, Some(opening.from), Week::Later(0)), Ok(opening));
            }
            Err(cannot_fit) => {
                prop_assert!(good.is_empty());
                prop_assert_eq!(cannot_fit.overdue.map(begins), all.first().copied().map(begins));
            }
        }
    }
}
