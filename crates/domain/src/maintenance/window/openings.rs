//! When a window is open, as instants.
//!
//! A time of day that clocks skip is moved on by as much as they skip; of one that comes twice the first
//! counts (RFC 5545, section 3.3.5, has the same rules). So every week of the zone has exactly one opening.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};

use super::{LENGTH, Window};
use crate::maintenance::Interval;

const WEEK: i64 = 7;
/// A zone that changed its side of the date line skipped a whole day, and its instants lie up to
/// a day beside those of UTC.
const DAYS_ASTRAY: i64 = 2;

impl Window {
    /// Those that begin at `from` or later, in order, as far as time goes.
    pub fn openings(&self, from: Timestamp) -> impl Iterator<Item = Interval> + '_ {
        let earlier = self.date_of(from).saturating_sub(days(DAYS_ASTRAY));
        let earlier = self.day_from(earlier);
        let dates = std::iter::successors(earlier, |date| date.checked_add(days(WEEK)).ok());
        let openings = dates.map_while(|date| self.opening_on(date));
        openings.skip_while(move |opening| opening.from < from)
    }

    /// Any that begins then, whosever it is.
    pub fn opening_at(from: Timestamp) -> Interval {
        Interval::new(from, from.checked_add(LENGTH).unwrap_or(Timestamp::MAX))
    }

    /// The one in the week of a date, or so many weeks behind it. Weeks are those of the zone; on which
    /// day they begin is said, for people do not agree on it.
    pub fn opening_of_week(&self, of: Date, weeks: i32, first_day: Weekday) -> Option<Interval> {
        let gone = i64::from(of.weekday().since(first_day));
        let week = of.checked_add(days(WEEK * i64::from(weeks) - gone));
        self.opening_on(self.day_from(week.ok()?)?)
    }

    /// What the zone's calendars show then.
    pub fn date_of(&self, at: Timestamp) -> Date {
        self.zone.rules().to_datetime(at).date()
    }

    /// The first date from then on that is the window's day.
    fn day_from(&self, date: Date) -> Option<Date> {
        let ahead = self.day.since(date.weekday());
        date.checked_add(days(ahead.into())).ok()
    }

    fn opening_on(&self, date: Date) -> Option<Interval> {
        let wanted = date.to_datetime(self.time);
        let from = self.zone.rules().to_ambiguous_timestamp(wanted);
        let from = from.compatible().ok()?;
        Some(Interval::new(from, from.checked_add(LENGTH).ok()?))
    }
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

#[cfg(test)]
mod tests;
