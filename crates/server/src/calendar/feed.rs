//! A calendar that others subscribe to: what is planned, what was done, and when nothing is done.

use icalendar::{Calendar, Component as _, Event, Property};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use upkeep_domain::maintenance::freeze::Period;
use upkeep_domain::maintenance::{Status, Window, Zone};
use upkeep_domain::notice::words;

use crate::backend::{CalendarView, FreezeView, MaintenanceView};

/// Programs that subscribe are asked to look that often.
const LOOK_EVERY: &str = "PT1H";

pub(crate) fn feed(view: &CalendarView) -> String {
    let name = match &view.app {
        Some(app) => format!("Maintenance of {app}"),
        None => "Maintenance of all databases".to_owned(),
    };
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Upkeep//Upkeep//EN"))
        .append_property(("METHOD", "PUBLISH"))
        .append_property(("X-WR-CALNAME", name.as_str()))
        .append_property(("REFRESH-INTERVAL;VALUE=DURATION", LOOK_EVERY));
    for maintenance in &view.maintenances {
        if let Some(event) = of_maintenance(maintenance, view.now) {
            calendar.push(event);
        }
    }
    for freeze in &view.freezes {
        calendar.push(of_freeze(freeze));
    }
    calendar.to_string()
}

/// The appointments of letters have the same ids: a calendar that has both shows one.
fn of_maintenance(view: &MaintenanceView, now: Timestamp) -> Option<Event> {
    // What is prepared ahead has been started, and is still to come.
    let is_to_come = matches!(
        view.status,
        Status::Pending | Status::Preparing | Status::Ready
    );
    let (from, to) = match (view.started_at, view.scheduled_for) {
        (_, Some(at)) if is_to_come => {
            let opening = Window::opening_at(at);
            (opening.from, opening.to)
        }
        (Some(from), _) => (from, view.completed_at.unwrap_or(now)),
        (None, _) => return None,
    };
    let mut event = event(&view.id?.to_string(), &summary(view), now);
    event
        .add_property("DTSTART", utc(from))
        // What took no time is not shown by all programs.
        .add_property("DTEND", utc(to.max(from + SignedDuration::from_mins(1))));
    let says = says(view);
    if !says.is_empty() {
        event.description(&says);
    }
    Some(event)
}

fn event(uid: &str, summary: &str, now: Timestamp) -> Event {
    let mut event = Event::new();
    event
        .uid(uid)
        .summary(&words::one_line(summary))
        .add_property("DTSTAMP", utc(now))
        // Nobody is busy for it.
        .add_property("TRANSP", "TRANSPARENT");
    event
}

fn summary(view: &MaintenanceView) -> String {
    let name = view.database.name.to_string();
    match view.outcome {
        Some(end) => words::ended(&name, end, view.felt.as_ref()),
        None => format!("Maintenance of {name}"),
    }
}

fn says(view: &MaintenanceView) -> String {
    let (before, after) = (&view.release_before, &view.release_after);
    let release = words::releases(before.as_deref(), after.as_deref());
    let lines = [
        ("Why", view.reason_because.clone()),
        ("Release", release),
        ("Method", view.method.clone()),
        ("Required by", view.required_by.map(|at| at.to_string())),
        ("Note", view.schedule_note.clone()),
    ];
    // Why something went wrong may name tables and files: that is for whoever asks with a token.
    let known = lines
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", words::one_line(&value?))));
    known.collect::<Vec<_>>().join("\n")
}

fn of_freeze(view: &FreezeView) -> Event {
    let freeze = &view.freeze;
    let uid = format!("freeze-{}", view.id);
    let summary = format!("No maintenance: {}", freeze.because);
    let mut event = event(&uid, &summary, view.added_at);
    match freeze.period {
        Period::Once { from, to } => {
            event.append_property(local("DTSTART", from, &freeze.zone));
            event.append_property(local("DTEND", to, &freeze.zone));
        }
        Period::Weekly { from, to } => {
            // From the one on that may have gone on when it was added.
            let added = view.added_at.to_zoned(freeze.zone.rules().clone());
            let begins = on_or_before(added.date(), from.day).to_datetime(from.time);
            let begins = if begins > added.datetime() {
                begins.saturating_sub(1.week())
            } else {
                begins
            };
            let days = from.day.until(to.day);
            let ends = begins.date().saturating_add(i64::from(days).days());
            let mut ends = ends.to_datetime(to.time);
            if ends <= begins {
                ends = ends.saturating_add(1.week());
            }
            event.append_property(local("DTSTART", begins, &freeze.zone));
            event.append_property(local("DTEND", ends, &freeze.zone));
            event.add_property("RRULE", "FREQ=WEEKLY");
        }
        Period::Yearly { first, last } => {
            let added = view.added_at.to_zoned(freeze.zone.rules().clone());
            let stretch = |year| {
                let (begins, ends) = first.begin_in(year).zip(last.end_in(year))?;
                // Into the next year.
                let ends = if ends <= begins {
                    ends.saturating_add(1.year())
                } else {
                    ends
                };
                Some((begins, ends))
            };
            let year = added.year();
            let mut stretches = (year - 1..=year + 1).filter_map(stretch);
            if let Some((begins, ends)) = stretches.find(|(_, ends)| *ends > added.datetime()) {
                event.append_property(day("DTSTART", begins.date()));
                event.append_property(day("DTEND", ends.date()));
                event.add_property("RRULE", "FREQ=YEARLY");
            }
        }
    }
    event.done()
}

fn on_or_before(date: Date, day: Weekday) -> Date {
    let back = day.until(date.weekday());
    date.saturating_sub(i64::from(back).days())
}

fn utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// By the clocks of a zone, which programs know by its name.
fn local(name: &str, at: DateTime, zone: &Zone) -> Property {
    let at = at.strftime("%Y%m%dT%H%M%S").to_string();
    if *zone == Zone::UTC {
        return Property::new(name, at + "Z");
    }
    let mut property = Property::new(name, at);
    property.add_parameter("TZID", zone.name());
    property
}

fn day(name: &str, date: Date) -> Property {
    let mut property = Property::new(name, date.strftime("%Y%m%d").to_string());
    property.add_parameter("VALUE", "DATE");
    property
}
