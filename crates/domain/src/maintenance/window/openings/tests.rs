//! Openings over every zone there is and fifty years, judged by the zones' offsets alone.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::days;
use crate::maintenance::{Window, Zone, window};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const FIRST: &str = "1990-01-01T00:00:00Z";
const LAST: &str = "2040-01-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window(day: &str, time: &str, zone: &str) -> Window {
    Window::typed(day, time, zone.parse().unwrap()).unwrap()
}

fn first_after(window: &Window, from: &str) -> String {
    let first = window.openings(at(from)).next().unwrap();
    assert_eq!(first.duration(), window::LENGTH);
    first.from.to_string()
}

#[test]
fn openings_keep_the_local_time_when_clocks_change() {
    let berlin = window("sun", "2:30", "Europe/Berlin");
    #[rustfmt::skip]
    let table = [
        // from                    the first opening
        ("2026-03-16T00:00:00Z", "2026-03-22T01:30:00Z"),
        // 02:30 is skipped: 03:30 in summer time
        ("2026-03-23T00:00:00Z", "2026-03-29T01:30:00Z"),
        ("2026-03-30T00:00:00Z", "2026-04-05T00:30:00Z"),
        // 02:30 comes twice: the first one, in summer time
        ("2026-10-19T00:00:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T00:30:01Z", "2026-11-01T01:30:00Z"),
        // it begins now
        ("2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"),
    ];
    for (from, opening) in table {
        assert_eq!(first_after(&berlin, from), opening, "{from}");
    }
}

#[test]
fn a_day_that_a_zone_skipped_has_its_opening_on_the_next() {
    // Samoa had no 30 December 2011, which was a Friday.
    let apia = window("fri", "18:00", "Pacific/Apia");
    let all = apia.openings(at("2011-12-20T00:00:00Z"));
    let all: Vec<String> = all.take(3).map(|o| o.from.to_string()).collect();
    assert_eq!(
        all,
        [
            "2011-12-24T04:00:00Z",
            "2011-12-31T04:00:00Z",
            "2012-01-06T04:00:00Z"
        ]
    );
}

#[test]
fn weeks_are_counted_in_the_zone_from_the_day_that_is_said() {
    use Weekday::{Monday, Sunday};
    let of_week = |window: &Window, of: &str, weeks, first_day| {
        window.opening_of_week(window.date_of(at(of)), weeks, first_day)
    };
    let window_on = |day| window(day, "13:30", "UTC");
    for (day, of, weeks, first_day, opening) in [
        (
            "sun",
            "2030-01-15T17:30:00Z",
            0,
            Monday,
            "2030-01-20T13:30:00Z",
        ),
        (
            "sun",
            "2030-01-14T00:00:00Z",
            0,
            Monday,
            "2030-01-20T13:30:00Z",
        ),
        (
            "sun",
            "2030-01-20T23:59:59Z",
            0,
            Monday,
            "2030-01-20T13:30:00Z",
        ),
        (
            "sun",
            "2030-01-20T13:30:00Z",
            2,
            Monday,
            "2030-02-03T13:30:00Z",
        ),
        (
            "sun",
            "2030-01-20T13:30:00Z",
            -1,
            Monday,
            "2030-01-13T13:30:00Z",
        ),
        (
            "sun",
            "2030-01-15T17:30:00Z",
            0,
            Sunday,
            "2030-01-13T13:30:00Z",
        ),
        (
            "sun",
            "2030-01-20T00:00:00Z",
            1,
            Sunday,
            "2030-01-27T13:30:00Z",
        ),
        (
            "sat",
            "2030-01-20T00:00:00Z",
            0,
            Sunday,
            "2030-01-26T13:30:00Z",
        ),
        (
            "mon",
            "2030-01-20T00:00:00Z",
            0,
            Monday,
            "2030-01-14T13:30:00Z",
        ),
    ] {
        let found = of_week(&window_on(day), of, weeks, first_day);
        assert_eq!(found.unwrap().from, at(opening), "{day} {of} {weeks}");
    }
    // Late on Sunday in UTC is Monday in Auckland.
    let auckland = window("mon", "9:00", "Pacific/Auckland");
    let found = of_week(&auckland, "2030-01-13T23:00:00Z", 0, Monday);
    assert_eq!(found.unwrap().from, at("2030-01-13T20:00:00Z"));
}

#[test]
fn time_has_an_end_and_openings_too() {
    let window = window("sun", "13:30", "UTC");
    assert_eq!(window.openings(Timestamp::MAX).next(), None);
    assert!(window.openings(Timestamp::MIN).next().is_some());
    let now = at(FIRST);
    for weeks in [i32::MIN, i32::MAX] {
        assert_eq!(
            window.opening_of_week(window.date_of(now), weeks, Weekday::Monday),
            None
        );
    }
}

/// Where the clocks of a zone jump within the fifty years: offset before, offset after.
struct Jumps(Vec<(Timestamp, Offset, Offset)>);

impl Jumps {
    fn of(zone: &TimeZone) -> Self {
        let mut before = zone.to_offset(at(FIRST));
        let mut jumps = Vec::new();
        for jump in zone.following(at(FIRST)) {
            if jump.timestamp() > at(LAST) {
                break;
            }
            jumps.push((jump.timestamp(), before, jump.offset()));
            before = jump.offset();
        }
        Self(jumps)
    }

    /// The instant that is right: the first one at which clocks show this; if none do, the one at which they would
    /// if they had not jumped.
    fn right(&self, zone: &TimeZone, wanted: DateTime) -> Timestamp {
        let shown_in = |offset: Offset| offset.to_timestamp(wanted).unwrap();
        let near = shown_in(Offset::UTC);
        let far = SignedDuration::from_hours(49);
        let first = self.0.partition_point(|jump| jump.0 < near - far);
        let jumps = self.0[first..]
            .iter()
            .take_while(|jump| jump.0 < near + far);
        let jumps: Vec<_> = jumps.collect();
        if jumps.is_empty() {
            return shown_in(zone.to_offset(near));
        }
        let offsets = jumps
            .iter()
            .flat_map(|(_, before, after)| [*before, *after]);
        let showing = offsets
            .map(shown_in)
            .filter(|&at| zone.to_datetime(at) == wanted);
        showing.min().unwrap_or_else(|| {
            let over = jumps.iter().find(|(jump, before, after)| {
                shown_in(*after) < *jump && *jump <= shown_in(*before)
            });
            shown_in(over.expect("clocks jump over what they do not show").1)
        })
    }
}

fn in_every_week_once(window: &Window, day: Weekday, jumps: &Jumps) {
    let zone = window.zone().rules();
    let monday = zone.to_datetime(at(FIRST)).date();
    let monday = monday.saturating_sub(days(monday.weekday().since(Weekday::Monday).into()));
    let mut weeks = 0;
    let mut before: Option<Timestamp> = None;
    let day = i64::from(day.to_monday_zero_offset());
    let first = monday
        .checked_add(days(7 + day))
        .unwrap()
        .to_datetime(window.time);
    let from = jumps.right(zone, first);
    for opening in window.openings(from).take_while(|o| o.from < at(LAST)) {
        let wanted = monday.checked_add(days(7 * (weeks + 1) + day)).unwrap();
        let right = jumps.right(zone, wanted.to_datetime(window.time));
        assert_eq!(opening.from, right, "{window}, {wanted}");
        assert_eq!(opening.duration(), window::LENGTH);
        assert!(
            before.is_none_or(|before| before < opening.from),
            "{window}, {wanted}"
        );
        before = Some(opening.from);
        weeks += 1;
    }
    assert!((2_607..=2_609).contains(&weeks), "{window}: {weeks} weeks");
}

/// Each zone has two windows: one in the hours in which clocks mostly jump, and one at another time in each zone.
#[test]
fn in_every_zone_each_week_of_fifty_years_has_one_opening_at_the_right_instant() {
    for (number, zone) in Zone::all().enumerate() {
        let jumps = Jumps::of(zone.rules());
        let other = (
            DAYS[number % 7],
            format!("{}:{}", number % 24, ["00", "30"][number % 2]),
        );
        for (day, time) in [("sun", "2:30"), (other.0, &other.1)] {
            let window = Window::typed(day, time, zone.clone()).unwrap();
            in_every_week_once(&window, window.day, &jumps);
        }
    }
}

proptest! {
    #[test]
    fn the_first_opening_is_the_next_one_from_any_instant(
        zone in 0_usize..600, day in 0_usize..7, half_hour in 0_u32..48,
        second in at(FIRST).as_second()..at(LAST).as_second(),
    ) {
        let zones: Vec<Zone> = Zone::all().collect();
        let zone = zones[zone % zones.len()].clone();
        let time = format!("{}:{:02}", half_hour / 2, half_hour % 2 * 30);
        let window = Window::typed(DAYS[day], &time, zone).unwrap();
        let from = Timestamp::from_second(second).unwrap();
        let first = window.openings(from).next().unwrap();
        prop_assert!(first.from >= from);
        // Eight days: a week, and a day for a zone that changes sides.
        prop_assert!(first.from.duration_since(from) <= SignedDuration::from_hours(8 * 24));
        let earlier = window.openings(from.checked_sub(days(30)).unwrap());
        let earlier = earlier.take_while(|o| o.from < first.from).last().unwrap();
        prop_assert!(earlier.from < from);
    }
}
