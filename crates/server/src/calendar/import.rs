//! Freezes out of a calendar: every event is one. What a freeze cannot be is refused, with all that came with it, rather
//! than kept as something else.

mod event;
#[cfg(test)]
mod tests;

use icalendar::{Calendar, CalendarComponent};
use jiff::Timestamp;
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_domain::maintenance::{Freeze, Zone};
use upkeep_domain::refusal::Refusal;

use event::{Meant, meant};

/// More than that nobody has looked through.
const EVENTS_MAX: usize = 500;
/// A calendar, an event in it, an alarm in that; and one to spare.
const DEPTH_MAX: usize = 4;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Imported {
    pub(crate) freezes: Vec<Freeze>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// An event that need not be a freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) summary: String,
    pub(crate) because: &'static str,
}

/// What the events of a calendar mean as freezes. Times without a zone are told by the clocks of `zone`.
///
/// # Errors
/// A refusal that names the first event that no freeze can be, and says how many there are.
pub(crate) fn import(
    text: &str,
    scope: Scope,
    zone: &Zone,
    now: Timestamp,
) -> Result<Imported, Refusal> {
    let calendar: Calendar = plain(text)?.parse().map_err(|_| no_calendar())?;
    let events: Vec<_> = calendar
        .components
        .iter()
        .filter_map(CalendarComponent::as_event)
        .collect();
    if events.is_empty() {
        return Err(no_calendar());
    }
    let (mut imported, mut refused) = (Imported::default(), Vec::new());
    for event in events {
        match meant(event, scope, zone, now) {
            Ok(Meant::Freeze(freeze)) => imported.freezes.push(freeze),
            Ok(Meant::Nothing(left_out)) => imported.left_out.push(left_out),
            Err(refusal) => refused.push(refusal),
        }
    }
    match refused.len() {
        0 => Ok(imported),
        1 => Err(refused.remove(0)),
        count => {
            let mut first = refused.remove(0);
            first.sentence = format!("{count} events cannot be freezes; {}", first.sentence);
            Err(first)
        }
    }
}

/// With unfolded lines that all end alike, and no more than can be read: the parser looks for the end of a line to the
/// end of the text if need be, and goes down into every component.
fn plain(text: &str) -> Result<String, Refusal> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (lines.last_mut(), line.strip_prefix([' ', '\t'])) {
            (Some(before), Some(rest)) => before.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    let (mut depth, mut events) = (0_usize, 0_usize);
    for line in &lines {
        let (verb, of) = line.split_once(':').unwrap_or_default();
        match verb.trim().to_ascii_uppercase().as_str() {
            "BEGIN" => {
                depth += 1;
                events += usize::from(of.trim().eq_ignore_ascii_case("VEVENT"));
            }
            "END" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(no_calendar());
        }
    }
    if events > EVENTS_MAX {
        let sentence =
            format!("the calendar has {events} events, and {EVENTS_MAX} are taken at a time");
        return Err(Refusal::invalid(sentence));
    }
    lines.push(String::new());
    Ok(lines.join("\r\n"))
}

fn no_calendar() -> Refusal {
    Refusal::invalid("this is no calendar with events in it")
        .with_hint("give a file as calendars export it (iCalendar, .ics)")
}
