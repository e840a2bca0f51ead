//! What people type for a day of the week, for a time of day, and for a reason.

use jiff::civil::{Time, Weekday};

use crate::name::shown;
use crate::refusal::Refusal;

const EXAMPLE: &str = "such as: sunday 14:30";
const BECAUSE_CHARS_MAX: usize = 200;
/// Fewer would not tell Tuesday from Thursday.
const DAY_CHARS_MIN: usize = 3;

/// `sunday`, `Sundays`, `sun`.
pub(super) fn day_of_week(text: &str) -> Result<Weekday, Refusal> {
    let typed = text.trim().to_ascii_lowercase();
    let meant = |day: &Weekday| plural(*day).to_ascii_lowercase().starts_with(&typed);
    let mut days = Weekday::Monday.cycle_forward().take(7);
    let found = days.find(meant).filter(|_| typed.len() >= DAY_CHARS_MIN);
    found.ok_or_else(|| {
        let sentence = format!("`{}` is not a day of the week", shown(text));
        Refusal::invalid(sentence).with_hint(EXAMPLE)
    })
}

/// A line that others can read.
pub(super) fn because_typed(text: &str, of: &str, example: &str) -> Result<String, Refusal> {
    let because = text.trim();
    let is_line = !because.is_empty()
        && because.chars().count() <= BECAUSE_CHARS_MAX
        && !because.contains(char::is_control);
    if !is_line {
        let sentence =
            format!("the reason of {of} is a line of 1 to {BECAUSE_CHARS_MAX} characters");
        return Err(Refusal::invalid(sentence).with_hint(format!("such as: {example}")));
    }
    Ok(because.to_owned())
}

/// `14:30`, `1:30PM`, `5 pm`.
pub(super) fn time_of_day(text: &str) -> Result<Time, Refusal> {
    let wrong = |what: &str| wrong_time(text, what);
    let typed = text.trim().to_ascii_lowercase();
    let (clock, half) = Half::split(&typed);
    let (hours, minutes) = match (clock.split_once(':'), half) {
        (Some(parts), _) => parts,
        (None, Some(_)) => (clock, "00"),
        (None, None) => return Err(wrong("hours and minutes have a colon between them")),
    };
    let hour = number(hours, 1..=2).ok_or_else(|| wrong("the hours are one or two digits"))?;
    let minute = number(minutes, 2..=2).ok_or_else(|| wrong("the minutes are two digits"))?;
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half.first_hour(),
        Some(_) => return Err(wrong("with AM or PM the hours go from 1 to 12")),
        None if hour <= 23 => hour,
        None => return Err(wrong("the hours go from 0 to 23")),
    };
    if minute > 59 {
        return Err(wrong("the minutes go from 0 to 59"));
    }
    Ok(Time::constant(hour, minute, 0, 0))
}

pub(super) fn wrong_time(text: &str, what: &str) -> Refusal {
    let sentence = format!("`{}` is not a time of day: {what}", shown(text));
    Refusal::invalid(sentence).with_hint(format!("{EXAMPLE}, or: sunday 2:30PM"))
}

pub(super) fn plural(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mondays",
        Weekday::Tuesday => "Tuesdays",
        Weekday::Wednesday => "Wednesdays",
        Weekday::Thursday => "Thursdays",
        Weekday::Friday => "Fridays",
        Weekday::Saturday => "Saturdays",
        Weekday::Sunday => "Sundays",
    }
}

pub(super) fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

#[derive(Clone, Copy)]
enum Half {
    Am,
    Pm,
}

impl Half {
    fn split(typed: &str) -> (&str, Option<Self>) {
        for (word, half) in [("am", Self::Am), ("pm", Self::Pm)] {
            if let Some(clock) = typed.strip_suffix(word) {
                return (clock.trim_end(), Some(half));
            }
        }
        (typed, None)
    }

    fn first_hour(self) -> i8 {
        match self {
            Self::Am => 0,
            Self::Pm => 12,
        }
    }
}

fn number(digits: &str, length: std::ops::RangeInclusive<usize>) -> Option<i8> {
    let plain = length.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_are_taken_in_every_form_that_people_type() {
        for (text, meant) in [
            ("sunday", Weekday::Sunday),
            ("Sundays", Weekday::Sunday),
            ("SUN", Weekday::Sunday),
            (" tuesday ", Weekday::Tuesday),
            ("Tues", Weekday::Tuesday),
            ("thurs", Weekday::Thursday),
            ("wed", Weekday::Wednesday),
            ("mon", Weekday::Monday),
            ("Friday", Weekday::Friday),
            ("saturdays", Weekday::Saturday),
        ] {
            assert_eq!(day_of_week(text), Ok(meant), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused_with_an_example() {
        for text in [
            "",
            "t",
            "tu",
            "sonntag",
            "sundayss",
            "sun day",
            "7",
            "sunday 14:30",
            "dimanche\n",
        ] {
            let refusal = day_of_week(text).unwrap_err();
            assert!(
                refusal.sentence.contains("is not a day of the week"),
                "{refusal:?}"
            );
            assert_eq!(refusal.hint.as_deref(), Some("such as: sunday 14:30"));
        }
    }

    #[test]
    fn times_are_taken_in_every_form_that_people_type() {
        for (text, hour, minute) in [
            ("14:30", 14, 30),
            ("1:30PM", 13, 30),
            ("5:30PM", 17, 30),
            ("1:30 pm", 13, 30),
            ("5pm", 17, 0),
            ("5 AM", 5, 0),
            ("12:00am", 0, 0),
            ("12:30AM", 0, 30),
            ("12:30PM", 12, 30),
            ("0:00", 0, 0),
            ("00:30", 0, 30),
            ("9:05", 9, 5),
            (" 23:30 ", 23, 30),
        ] {
            assert_eq!(
                time_of_day(text),
                Ok(Time::constant(hour, minute, 0, 0)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_is_wrong_and_an_example() {
        for (text, what) in [
            ("24:00", "from 0 to 23"),
            ("13:30PM", "from 1 to 12"),
            ("0:30AM", "from 1 to 12"),
            ("14:60", "from 0 to 59"),
            ("14", "a colon"),
            ("noon", "a colon"),
            ("", "a colon"),
            ("14:3", "minutes are two digits"),
            ("14:30:00", "minutes are two digits"),
            ("-1:30", "one or two digits"),
            ("+1:30", "one or two digits"),
            ("1 4:30", "one or two digits"),
            ("pm", "one or two digits"),
            ("١٤:٣٠", "one or two digits"),
            ("14:30 UTC", "minutes are two digits"),
        ] {
            let refusal = time_of_day(text).unwrap_err();
            assert!(refusal.sentence.contains(what), "{text}: {refusal:?}");
            assert!(refusal.hint.unwrap().contains("sunday 2:30PM"));
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_typed(text: String) {
            let _ = (day_of_week(&text), time_of_day(&text));
        }
    }
}
