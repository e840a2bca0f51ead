//! Times as people read them: by the clocks of the window, and by UTC beside it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Subject;

/// `Tuesday 1 December 2026, 23:30 CET (22:30 UTC)`.
pub(super) fn long(at: Timestamp, of: &Subject) -> String {
    let there = at.to_zoned(clocks(of));
    let mut text = there.strftime("%A %-d %B %Y, %H:%M %Z").to_string();
    let utc = at.to_zoned(TimeZone::UTC);
    if there.datetime() != utc.datetime() {
        let same_day = there.date() == utc.date();
        let format = if same_day {
            " (%H:%M UTC)"
        } else {
            " (%-d %B, %H:%M UTC)"
        };
        text.push_str(&utc.strftime(format).to_string());
    }
    text
}

/// `Tue 1 Dec 2026, 23:30 CET`.
pub(super) fn short(at: Timestamp, of: &Subject) -> String {
    let there = at.to_zoned(clocks(of));
    there.strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

fn clocks(of: &Subject) -> TimeZone {
    let zone = of.window.as_ref().map(|window| window.zone().rules());
    zone.cloned().unwrap_or(TimeZone::UTC)
}
