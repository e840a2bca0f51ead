//! When a freeze is, as instants.
//!
//! Where clocks jump at its ends it is rather longer than shorter: it begins at the earlier instant and
//! ends at the later one that can be meant.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::AmbiguousTimestamp;
use jiff::{SignedDuration, Timestamp};

use super::period::WeekTime;
use super::{Freeze, Period};
use crate::maintenance::Interval;

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What lasts for less than a week, and whose beginning may lie a day beside its date, begins no earlier than
/// this before it ends.
const BEGINS_BEFORE: SignedDuration = SignedDuration::from_hours(9 * 24);

impl Freeze {
    /// A stretch of it that falls into the interval.
    pub fn stretch_over(&self, interval: Interval) -> Option<Interval> {
        let overlaps = |stretch: &Interval| stretch.overlaps(&interval);
        match self.period {
            Period::Once { from, to } => self.stretch(from, to).filter(overlaps),
            Period::Yearly { first, last } => {
                let years =
                    self.date_of(interval.from).year() - 1..=self.date_of(interval.to).year();
                let wraps = i16::from(last < first);
                let mut stretches = years.filter_map(|year| {
                    self.stretch(
                        first.begin_in(year)?,
                        last.end_in(year.checked_add(wraps)?)?,
                    )
                });
                stretches.find(overlaps)
            }
            Period::Weekly { from, to } => {
                let first = self.date_of(interval.from).saturating_sub(BEGINS_BEFORE);
                let last = self.date_of(interval.to);
                let dates =
                    std::iter::successors(from.day_from(first), |date| date.checked_add(WEEK).ok());
                let dates = dates.take_while(|date| *date <= last);
                let mut stretches = dates.filter_map(|date| {
                    self.stretch(date.to_datetime(from.time), to.next_after(date, from.time)?)
                });
                stretches.find(overlaps)
            }
        }
    }

    fn stretch(&self, from: DateTime, to: DateTime) -> Option<Interval> {
        let from = self.instant(from).earlier().ok()?;
        Some(Interval::new(from, self.instant(to).later().ok()?))
    }

    fn instant(&self, at: DateTime) -> AmbiguousTimestamp {
        self.zone.rules().to_ambiguous_timestamp(at)
    }

    fn date_of(&self, at: Timestamp) -> Date {
        self.zone.rules().to_datetime(at).date()
    }
}

impl WeekTime {
    /// The first date from then on that is its day.
    fn day_from(self, date: Date) -> Option<Date> {
        let ahead = SignedDuration::from_hours(24 * i64::from(self.day.since(date.weekday())));
        date.checked_add(ahead).ok()
    }

    /// Its first one behind that time of that date.
    fn next_after(self, date: Date, time: Time) -> Option<DateTime> {
        let next = self.day_from(date)?;
        let is_over = next == date && self.time <= time;
        let next = if is_over {
            next.checked_add(WEEK).ok()?
        } else {
            next
        };
        Some(next.to_datetime(self.time))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::maintenance::Zone;
    use crate::maintenance::freeze::Scope;

    fn freeze(from: &str, to: &str, zone: &str) -> Freeze {
        Freeze {
            scope: Scope::Fleet,
            period: Period::typed(from, to).unwrap(),
            zone: zone.parse().unwrap(),
            because: "a test".to_owned(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// First and last second of the stretch around an instant, found from one second to the next.
    fn edges(freeze: &Freeze, within: &str) -> (String, String) {
        let stretch = freeze.stretch_over(second(at(within))).unwrap();
        for inside in [stretch.from, stretch.to - SignedDuration::from_secs(1)] {
            assert!(freeze.stretch_over(second(inside)).is_some());
        }
        for outside in [stretch.from - SignedDuration::from_secs(1), stretch.to] {
            assert_eq!(freeze.stretch_over(second(outside)), None, "{outside}");
        }
        (stretch.from.to_string(), stretch.to.to_string())
    }

    fn second(from: Timestamp) -> Interval {
        Interval::new(from, from + SignedDuration::from_secs(1))
    }

    #[test]
    fn stretches_begin_and_end_where_people_think() {
        #[rustfmt::skip]
        let table = [
            // from, to, zone, an instant within                            -> from, to
            ("2029-12-20", "2030-01-03", "UTC", "2029-12-31T23:59:00Z",      "2029-12-20T00:00:00Z", "2030-01-04T00:00:00Z"),
            ("2029-12-20 18:00", "2029-12-21 6:00", "Asia/Tokyo", "2029-12-20T10:00:00Z", "2029-12-20T09:00:00Z", "2029-12-20T21:00:00Z"),
            ("12-20", "01-03", "UTC", "2035-01-01T00:00:00Z",                "2034-12-20T00:00:00Z", "2035-01-04T00:00:00Z"),
            ("12-20", "01-03", "UTC", "2035-12-31T00:00:00Z",                "2035-12-20T00:00:00Z", "2036-01-04T00:00:00Z"),
            ("12-24", "12-24", "America/New_York", "2029-12-24T12:00:00Z",   "2029-12-24T05:00:00Z", "2029-12-25T05:00:00Z"),
            ("02-27", "02-29", "UTC", "2028-02-28T00:00:00Z",                "2028-02-27T00:00:00Z", "2028-03-01T00:00:00Z"),
            ("02-27", "02-29", "UTC", "2029-02-28T00:00:00Z",                "2029-02-27T00:00:00Z", "2029-03-01T00:00:00Z"),
            ("02-29", "03-05", "UTC", "2029-03-03T00:00:00Z",                "2029-03-01T00:00:00Z", "2029-03-06T00:00:00Z"),
            ("fri 16:00", "mon 8:00", "UTC", "2029-12-23T00:00:00Z",         "2029-12-21T16:00:00Z", "2029-12-24T08:00:00Z"),
            ("mon 8:00", "fri 16:00", "UTC", "2029-12-26T00:00:00Z",         "2029-12-24T08:00:00Z", "2029-12-28T16:00:00Z"),
            ("mon 16:00", "mon 8:00", "UTC", "2029-12-31T07:00:00Z",         "2029-12-24T16:00:00Z", "2029-12-31T08:00:00Z"),
            ("mon 8:00", "mon 16:00", "UTC", "2029-12-24T09:00:00Z",         "2029-12-24T08:00:00Z", "2029-12-24T16:00:00Z"),
            // 02:30 is skipped on 25 March 2029, and comes twice on 28 October
            ("sun 2:30", "sun 12:00", "Europe/Berlin", "2029-03-25T02:00:00Z", "2029-03-25T00:30:00Z", "2029-03-25T10:00:00Z"),
            ("sat 2:30", "sun 2:30", "Europe/Berlin", "2029-10-27T12:00:00Z", "2029-10-27T00:30:00Z", "2029-10-28T01:30:00Z"),
        ];
        for (from, to, zone, within, begins, ends) in table {
            let freeze = freeze(from, to, zone);
            let found = edges(&freeze, within);
            assert_eq!(found, (begins.to_owned(), ends.to_owned()), "{freeze}");
        }
    }

    #[test]
    fn a_day_of_the_year_that_is_not_there_freezes_nothing() {
        let leap = freeze("02-29", "02-29", "UTC");
        let year = |year| {
            Interval::new(
                at(&format!("{year}-01-01T00:00:00Z")),
                at(&format!("{year}-12-31T00:00:00Z")),
            )
        };
        assert_eq!(leap.stretch_over(year(2029)), None);
        assert!(leap.stretch_over(year(2028)).is_some());
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        for (from, to) in [
            ("12-20", "01-03"),
            ("fri 16:00", "mon 8:00"),
            ("9999-12-20", "9999-12-30"),
        ] {
            let freeze = freeze(from, to, "UTC");
            for edge in [Timestamp::MIN, Timestamp::MAX] {
                let _ = freeze.stretch_over(Interval::new(edge, edge));
            }
        }
    }

    proptest! {
        /// Whatever the zone: what its clocks show decides, second by second.
        #[test]
        fn frozen_is_what_the_clocks_of_the_zone_show_as_frozen(
            zone in 0_usize..600, from_day in 0_usize..7, length in 1_i64..7 * 48,
            month in 1_i8..=12, day in 1_i8..=28, days in 0_i64..60,
            second in 631_152_000_i64..2_208_988_800, interval in 0_i64..100_000,
        ) {
            let zones: Vec<Zone> = Zone::all().collect();
            let zone = &zones[zone % zones.len()];
            let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let begin = from_day as i64 * 48;
            let end = (begin + length) % (7 * 48);
            let half_hours = |count: i64| {
                let (day, rest) = (count / 48, count % 48);
                format!("{} {}:{:02}", names[day as usize], rest / 2, rest % 2 * 30)
            };
            let weekly = freeze(&half_hours(begin), &half_hours(end), zone.name());
            let first = Date::new(2000, month, day).unwrap();
            let last = first.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
            let year_day = |date: Date| date.to_string()[5..].to_owned();
            let yearly = freeze(&year_day(first), &year_day(last), zone.name());

            let from = Timestamp::from_second(second).unwrap();
            let interval = Interval::new(from, from + SignedDuration::from_secs(interval + 1));
            let shown = |at: Timestamp| zone.rules().to_datetime(at);
            let in_week = |at: Timestamp| {
                let at = shown(at);
                let half_hour = i64::from(at.weekday().to_monday_zero_offset()) * 48
                    + i64::from(at.hour()) * 2 + i64::from(at.minute() / 30);
                (half_hour - begin).rem_euclid(7 * 48) < length
            };
            let in_year = |at: Timestamp| {
                let date = year_day(shown(at).date());
                let (first, last) = (year_day(first), year_day(last));
                if first <= last {
                    first <= date && date <= last
                } else {
                    first <= date || date <= last
                }
            };
            for (freeze, shows) in [(&weekly, &in_week as &dyn Fn(Timestamp) -> bool), (&yearly, &in_year)] {
                let mut seconds = (0..).map(|step| interval.from + SignedDuration::from_secs(step * 600));
                let any_shown = seconds.by_ref().take_while(|at| *at < interval.to).any(shows);
                let found = freeze.stretch_over(interval);
                if any_shown {
                    prop_assert!(found.is_some(), "{} {:?}", freeze, interval);
                }
                if let Some(stretch) = found {
                    // A day around it, for zones that skipped one.
                    let from = stretch.from.max(interval.from);
                    let mut near = (-150..=150)
                        .map(|step| from + SignedDuration::from_secs(step * 600));
                    prop_assert!(near.any(shows), "{} {:?}", freeze, interval);
                }
            }
        }
    }
}
