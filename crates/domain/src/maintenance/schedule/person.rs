//! What a person may change: the week of a maintenance that is planned, and the window itself.
//!
//! No notice is kept of what people ask for themselves; everything else holds for them, too.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use super::objection::Objection;
use super::{Terms, told};
use crate::maintenance::Interval;
use crate::name::shown;
use crate::refusal::{Refusal, RefusalKind};

/// Which week a maintenance is wanted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Week {
    /// So many weeks later than it is planned for, or than now; a negative number brings forward.
    Later(i32),
    /// The week of that date.
    Of(Date),
}

/// What is required, is required within a year.
const WEEKS_MAX: i32 = 53;

impl Week {
    /// Heroku's client sends the text as it was typed, and `NaN` for a date that it could not read.
    ///
    /// # Errors
    /// A refusal that says what was wrong and gives examples.
    pub fn later(weeks: &str) -> Result<Self, Refusal> {
        let number = weeks.trim().parse().ok();
        let number = number.filter(|number| (-WEEKS_MAX..=WEEKS_MAX).contains(number));
        number.map(Self::Later).ok_or_else(|| {
            let sentence = format!("`{}` is not a number of weeks", shown(weeks));
            let hint = format!("use a whole number from -{WEEKS_MAX} to {WEEKS_MAX} with --weeks, or a date such as 2030-01-20 with --week");
            Refusal::invalid(sentence).with_hint(hint)
        })
    }

    /// # Errors
    /// A refusal that says what was wrong and gives an example.
    pub fn of(date: &str) -> Result<Self, Refusal> {
        date.trim().parse().map(Self::Of).map_err(|_| {
            let sentence = format!("`{}` is not a date", shown(date));
            Refusal::invalid(sentence).with_hint("use one such as 2030-01-20")
        })
    }
}

/// The opening of the week that a person wants. Weeks begin on Sunday: so Heroku's client reckons.
///
/// # Errors
/// A refusal that says why it cannot be that week, and which can.
pub fn in_week(
    terms: &Terms<'_>,
    scheduled_for: Option<Timestamp>,
    week: Week,
) -> Result<Interval, Refusal> {
    let window = terms.window;
    let opening = match week {
        Week::Later(weeks) => {
            let from = scheduled_for.unwrap_or(terms.now);
            window.opening_of_week(window.date_of(from), weeks, Weekday::Sunday)
        }
        Week::Of(date) => window.opening_of_week(date, 0, Weekday::Sunday),
    };
    let opening = opening.ok_or_else(|| Refusal::invalid("time is at its end by then"))?;
    match terms.objection(opening) {
        None => Ok(opening),
        Some(objection) => Err(refusal(terms, opening, objection)),
    }
}

fn refusal(terms: &Terms<'_>, opening: Interval, objection: Objection<'_>) -> Refusal {
    let kind = match objection {
        Objection::NotPrepared { .. } => RefusalKind::NotReady,
        Objection::Frozen(_) => RefusalKind::Conflict,
        Objection::Begun | Objection::TooShort { .. } | Objection::TooLate { .. } => {
            RefusalKind::Invalid
        }
    };
    let window = told(opening.from);
    let sentence = format!("the maintenance cannot be scheduled for {window}: {objection}");
    let mut fitting = terms.openings_in_time();
    let hint = match fitting.find(|opening| terms.objection(*opening).is_none()) {
        Some(first) => {
            let last = fitting
                .filter(|opening| terms.objection(*opening).is_none())
                .last();
            let first = told(first.from);
            match last {
                Some(last) => format!("windows that fit go from {first} to {}", told(last.from)),
                None => format!("the only window that fits is {first}"),
            }
        }
        None => "no window fits: run it by hand with data:maintenances:run".to_owned(),
    };
    Refusal::new(kind, sentence).with_hint(hint)
}

/// The opening of a new window for what was planned for the old one: in the same week, Monday to Sunday, if it
/// fits; else the next one that does, else the last one before.
///
/// # Errors
/// A refusal: no opening of that window ends before the maintenance is required, or fits for another reason.
pub fn after_window_change(
    terms: &Terms<'_>,
    scheduled_for: Option<Timestamp>,
) -> Result<Interval, Refusal> {
    let scheduled_for = scheduled_for.unwrap_or(terms.now);
    let fits = |opening: &Interval| terms.objection(*opening).is_none();
    let window = terms.window;
    let planned = window.date_of(scheduled_for);
    let same_week = window.opening_of_week(planned, 0, Weekday::Monday);
    let from = same_week.map_or(scheduled_for, |opening| opening.from);
    let behind = terms
        .openings_in_time()
        .filter(|opening| from <= opening.from);
    let before = terms
        .openings_in_time()
        .take_while(|opening| opening.from < from);
    let found = { behind }.find(fits).or_else(|| before.filter(fits).last());
    found.map_or_else(|| overdue_or_refused(terms), Ok)
}

/// What is overdue already is not made worse by another window.
fn overdue_or_refused(terms: &Terms<'_>) -> Result<Interval, Refusal> {
    let cannot_fit = terms.cannot_fit();
    let is_overdue = terms.required_by <= terms.now;
    cannot_fit.overdue.filter(|_| is_overdue).ok_or_else(|| {
        let sentence = format!(
            "the window cannot be {} now: {}",
            terms.window, cannot_fit.because
        );
        let hint =
            "choose another day or time, or run the maintenance first with data:maintenances:run";
        Refusal::invalid(sentence).with_hint(hint)
    })
}
