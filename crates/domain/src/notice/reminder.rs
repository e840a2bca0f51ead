//! When people are reminded of what is planned: a week before, and a day before, unless they have heard
//! of it about then anyway.

use jiff::{SignedDuration, Timestamp};

/// How long before, the nearest first.
pub const AHEAD: [SignedDuration; 2] = [
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(7 * 24),
];
/// What was told that shortly before need not be told again.
const HEARD: SignedDuration = SignedDuration::from_hours(12);

/// Whether people are to be reminded now of what is planned for then, and were last told of it then.
pub fn is_due(now: Timestamp, scheduled_for: Timestamp, last_told: Timestamp) -> bool {
    if now >= scheduled_for {
        return false;
    }
    let mut marks = AHEAD.iter().map(|ahead| scheduled_for - *ahead);
    let passed = marks.find(|mark| now >= *mark);
    passed.is_some_and(|mark| last_told < mark - HEARD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours_before(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH - SignedDuration::from_hours(hours)
    }

    #[test]
    fn people_are_reminded_a_week_and_a_day_before_unless_they_have_just_heard_of_it() {
        const WEEK: i64 = 7 * 24;
        for (now, last_told, due) in [
            // Long known.
            (WEEK + 1, 30 * 24, false),
            (WEEK, 30 * 24, true),
            (100, 30 * 24, true),
            // Reminded of it a week before.
            (100, WEEK, false),
            (24, WEEK, true),
            (1, WEEK, true),
            (1, 24, false),
            // Told a little before the day.
            (24, 36, false),
            (24, 37, true),
            // Planned within the last day.
            (3, 20, false),
            // It has begun, or should have.
            (0, 30 * 24, false),
            (-1, 30 * 24, false),
        ] {
            let (now, told) = (hours_before(now), hours_before(last_told));
            assert_eq!(
                is_due(now, Timestamp::UNIX_EPOCH, told),
                due,
                "{now} {told}"
            );
        }
    }
}
