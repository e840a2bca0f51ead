//! When a freeze is, as people say it: once, each year or each week.

use std::fmt;

use jiff::civil::{Date, DateTime, Time, Weekday};
use serde::{Deserialize, Serialize};

use crate::maintenance::typed::{clock, day_of_week, plural, time_of_day};
use crate::name::shown;
use crate::refusal::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Typed", into = "Typed")]
pub enum Period {
    /// Up to, not including, `to`.
    Once { from: DateTime, to: DateTime },
    /// Both days are in it.
    Yearly { first: YearDay, last: YearDay },
    /// Up to, not including, `to`.
    Weekly { from: WeekTime, to: WeekTime },
}

/// A day of any year; 29 February is 1 March where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct YearDay {
    pub month: i8,
    pub day: i8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekTime {
    pub day: Weekday,
    pub time: Time,
}

/// As people type it and as rows keep it.
#[derive(Serialize, Deserialize)]
struct Typed {
    from: String,
    to: String,
}

const EXAMPLES: &str = "such as: from 2029-12-20 to 2030-01-03, from 2029-12-20 18:00 to 2029-12-21 6:00, from 12-20 to 01-03 for every year, from friday 16:00 to monday 8:00 for every week";

/// One end of a period.
enum End {
    Date(Date),
    DateTime(DateTime),
    YearDay(YearDay),
    WeekTime(WeekTime),
}

impl Period {
    /// Understands dates with or without a time of day, days of the year, and days of the week with a time. A day without a time is in it, at
    /// its beginning and at its end.
    ///
    /// # Errors
    /// A refusal that says what was wrong and gives examples.
    pub fn typed(from: &str, to: &str) -> Result<Self, Refusal> {
        let unlike = || wrong(from, to, "are not of the same kind");
        let period = match (end(from)?, end(to)?) {
            (End::YearDay(first), End::YearDay(last)) => Self::Yearly { first, last },
            (End::WeekTime(from), End::WeekTime(to)) => Self::Weekly { from, to },
            (first, last) => Self::Once {
                from: first.begins().ok_or_else(unlike)?,
                to: last.ends().ok_or_else(unlike)?,
            },
        };
        let is_empty = match period {
            Self::Once { from, to } => to <= from,
            Self::Weekly { from, to } => from == to,
            Self::Yearly { .. } => false,
        };
        if is_empty {
            return Err(wrong(from, to, "have no time between them"));
        }
        Ok(period)
    }
}

impl Period {
    /// Its ends as they may be typed again.
    pub fn ends(self) -> (String, String) {
        let Typed { from, to } = self.into();
        (from, to)
    }
}

impl End {
    fn begins(&self) -> Option<DateTime> {
        match self {
            Self::Date(date) => Some(date.to_datetime(Time::midnight())),
            Self::DateTime(at) => Some(*at),
            Self::YearDay(_) | Self::WeekTime(_) => None,
        }
    }

    fn ends(&self) -> Option<DateTime> {
        match self {
            Self::Date(date) => Some(date.tomorrow().ok()?.to_datetime(Time::midnight())),
            other => other.begins(),
        }
    }
}

fn end(text: &str) -> Result<End, Refusal> {
    let typed = text.trim();
    if let Some(day) = YearDay::typed(typed) {
        return Ok(End::YearDay(day));
    }
    // Behind a date there may be a T as well; Tuesdays begin with one.
    let split = typed.split_once(' ').or_else(|| {
        let is_date = typed.starts_with(|first: char| first.is_ascii_digit());
        typed.split_once('T').filter(|_| is_date)
    });
    let (first, time) = match split {
        Some((first, time)) => (first, Some(time)),
        None => (typed, None),
    };
    match (first.parse::<Date>(), time) {
        (Ok(date), None) => Ok(End::Date(date)),
        (Ok(date), Some(time)) => Ok(End::DateTime(date.to_datetime(time_of_day(time)?))),
        (Err(_), Some(time)) => Ok(End::WeekTime(WeekTime {
            day: day_of_week(first)?,
            time: time_of_day(time)?,
        })),
        (Err(_), None) => {
            let sentence = format!("`{}` is neither a date nor a day and a time", shown(text));
            Err(Refusal::invalid(sentence).with_hint(EXAMPLES))
        }
    }
}

fn wrong(from: &str, to: &str, what: &str) -> Refusal {
    let sentence = format!("`{}` and `{}` {what}", shown(from), shown(to));
    Refusal::invalid(sentence).with_hint(EXAMPLES)
}

impl YearDay {
    /// `12-20`.
    fn typed(text: &str) -> Option<Self> {
        // A leap year has every day there is.
        let date: Date = format!("2000-{text}").parse().ok()?;
        let day = Self {
            month: date.month(),
            day: date.day(),
        };
        (day.to_string() == text).then_some(day)
    }

    /// Its first moment in that year.
    pub fn begin_in(self, year: i16) -> Option<DateTime> {
        self.date_in(year)
            .map(|date| date.to_datetime(Time::midnight()))
    }

    /// The midnight behind it.
    pub fn end_in(self, year: i16) -> Option<DateTime> {
        let is_there = Date::new(year, self.month, self.day).is_ok();
        let date = self.date_in(year)?;
        let behind = if is_there {
            date.tomorrow().ok()?
        } else {
            date
        };
        Some(behind.to_datetime(Time::midnight()))
    }

    fn date_in(self, year: i16) -> Option<Date> {
        let date = Date::new(year, self.month, self.day);
        date.or_else(|_| Date::new(year, 3, 1)).ok()
    }
}

impl fmt::Display for YearDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", plural(self.day), clock(self.time))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = match self {
            Self::Once { .. } => "",
            Self::Yearly { .. } => "every year ",
            Self::Weekly { .. } => "every week ",
        };
        let Typed { from, to } = (*self).into();
        write!(f, "{every}from {from} to {to}")
    }
}

impl TryFrom<Typed> for Period {
    type Error = Refusal;

    fn try_from(typed: Typed) -> Result<Self, Refusal> {
        Self::typed(&typed.from, &typed.to)
    }
}

impl From<Period> for Typed {
    fn from(period: Period) -> Self {
        let minutes = |at: DateTime| format!("{} {}", at.date(), clock(at.time()));
        let (from, to) = match period {
            Period::Once { from, to } => (minutes(from), minutes(to)),
            Period::Yearly { first, last } => (first.to_string(), last.to_string()),
            Period::Weekly { from, to } => (from.to_string(), to.to_string()),
        };
        Self { from, to }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn periods_are_taken_as_people_say_them() {
        for (from, to, told) in [
            (
                "2029-12-20",
                "2030-01-03",
                "from 2029-12-20 00:00 to 2030-01-04 00:00",
            ),
            (
                "2029-12-20 18:00",
                "2029-12-21 6:05",
                "from 2029-12-20 18:00 to 2029-12-21 06:05",
            ),
            (
                "2029-12-20T18:00",
                "2029-12-20",
                "from 2029-12-20 18:00 to 2029-12-21 00:00",
            ),
            ("12-20", "01-03", "every year from 12-20 to 01-03"),
            ("02-29", "02-29", "every year from 02-29 to 02-29"),
            (
                "friday 16:00",
                "mon 8am",
                "every week from Fridays 16:00 to Mondays 08:00",
            ),
            (
                "Tuesday 16:00",
                "Thursdays 8:00",
                "every week from Tuesdays 16:00 to Thursdays 08:00",
            ),
        ] {
            let period = Period::typed(from, to).unwrap();
            assert_eq!(period.to_string(), told);
            let row = serde_json::to_value(period).unwrap();
            let read = serde_json::from_value(row);
            assert_eq!(read.ok(), Some(period), "it survives its row");
        }
    }

    #[test]
    fn what_is_no_period_is_refused_with_what_is_wrong_and_examples() {
        for (from, to, what) in [
            ("12-20", "2030-01-03", "not of the same kind"),
            ("2029-12-20", "mon 8:00", "not of the same kind"),
            ("friday 16:00", "12-20", "not of the same kind"),
            ("2029-12-20", "2029-12-19", "no time between"),
            ("2029-12-20 18:00", "2029-12-20 18:00", "no time between"),
            ("friday 16:00", "fri 4pm", "no time between"),
            ("christmas", "12-26", "neither a date"),
            ("friday", "monday", "neither a date"),
            ("02-30", "03-01", "neither a date"),
            ("2029-02-29", "2029-03-01", "neither a date"),
            ("12-1", "12-3", "neither a date"),
            ("2029-12-20 25:00", "2029-12-21", "not a time of day"),
        ] {
            let refusal = Period::typed(from, to).unwrap_err();
            assert!(refusal.sentence.contains(what), "{from} {to}: {refusal:?}");
            assert!(refusal.hint.is_some());
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_typed(from: String, to: String) {
            let _ = Period::typed(&from, &to);
        }
    }
}
