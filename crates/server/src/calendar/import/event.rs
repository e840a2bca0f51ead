//! One event, and the freeze that it means.

use std::collections::BTreeMap;

use icalendar::{Component as _, Event, Parameter};
use jiff::civil::{Date, DateTime, DateTimeRound, Time};
use jiff::{RoundMode, Span, Timestamp, ToSpan as _, Unit};
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_domain::maintenance::{Freeze, Zone};
use upkeep_domain::notice::words::one_line;
use upkeep_domain::refusal::Refusal;

use super::LeftOut;

pub(super) enum Meant {
    Freeze(Freeze),
    Nothing(LeftOut),
}

/// A point of time as an event has it.
struct At {
    clock: DateTime,
    is_day: bool,
    zone: Zone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Never,
    Weekly,
    Yearly,
}

/// Of a summary.
const SHOWN_MAX: usize = 80;
/// Exceptions from what is repeated.
const EXCEPTIONS: [&str; 4] = ["EXDATE", "RDATE", "EXRULE", "RECURRENCE-ID"];
const WEEK_DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

pub(super) fn meant(
    event: &Event,
    scope: Scope,
    zone: &Zone,
    now: Timestamp,
) -> Result<Meant, Refusal> {
    let summary = event.get_summary().unwrap_or_default().trim().to_owned();
    let wrong = |what: String| {
        let name: String = one_line(&summary).chars().take(SHOWN_MAX).collect();
        Refusal::invalid(format!("the event `{name}` {what}"))
    };
    let nothing = |because| {
        let summary = one_line(&summary).chars().take(SHOWN_MAX).collect();
        Ok(Meant::Nothing(LeftOut { summary, because }))
    };
    if event.property_value("STATUS") == Some("CANCELLED") {
        return nothing("it is cancelled");
    }
    let from = at(event, "DTSTART", zone).map_err(&wrong)?;
    let from = from.ok_or_else(|| wrong("does not say when it begins".to_owned()))?;
    let to = end(event, &from, zone).map_err(&wrong)?;
    if to <= from.clock {
        return Err(wrong("ends before it has begun".to_owned()));
    }
    let repeats = repeats(event, &from).map_err(&wrong)?;
    if let Some(once) = repeats.every() {
        let begins = from.clock.to_zoned(from.zone.rules().clone());
        let holds = begins.and_then(|begins| begins.checked_sub(once));
        if holds.is_ok_and(|holds| holds.timestamp() > now) {
            return Err(wrong(
                "is repeated from a later time on, and a freeze is repeated from now on".to_owned(),
            ));
        }
    }
    let over = to.to_zoned(from.zone.rules().clone());
    if repeats == Repeats::Never && over.is_ok_and(|over| over.timestamp() <= now) {
        return nothing("it is over");
    }
    let (from_words, to_words) = words(&from, to, repeats).map_err(&wrong)?;
    let (from_words, to_words) = (from_words.as_str(), to_words.as_str());
    let freeze = Freeze::typed(
        scope,
        (from_words, to_words),
        Some(from.zone.name()),
        &summary,
    );
    freeze.map(Meant::Freeze).map_err(|refusal| Refusal {
        sentence: wrong(format!("is none: {}", refusal.sentence)).sentence,
        ..refusal
    })
}

impl Repeats {
    fn every(self) -> Option<Span> {
        match self {
            Self::Never => None,
            Self::Weekly => Some(1.week()),
            Self::Yearly => Some(1.year()),
        }
    }
}

/// A day, or a time by the clocks of the zone that it names, or of `zone`.
fn at(event: &Event, property: &str, zone: &Zone) -> Result<Option<At>, String> {
    let Some(said) = event.properties().get(property) else {
        return Ok(None);
    };
    let text = said.value();
    if let Ok(day) = Date::strptime("%Y%m%d", text) {
        return Ok(Some(At {
            clock: day.to_datetime(Time::midnight()),
            is_day: true,
            zone: zone.clone(),
        }));
    }
    let named = said.params().get("TZID").map(Parameter::value);
    let (text, zone) = match (text.strip_suffix('Z'), named) {
        (Some(text), _) => (text, Zone::UTC),
        (None, Some(named)) => {
            let known = named.parse::<Zone>();
            (
                text,
                known.map_err(|refusal| {
                    format!("goes by a zone that is not known: {}", refusal.sentence)
                })?,
            )
        }
        (None, None) => (text, zone.clone()),
    };
    let clock = DateTime::strptime("%Y%m%dT%H%M%S", text);
    let clock =
        clock.map_err(|_| format!("has no time in {property}: `{}`", text.escape_default()))?;
    Ok(Some(At {
        clock,
        is_day: false,
        zone,
    }))
}

/// What may be said more than once is kept apart.
fn has(event: &Event, property: &str) -> bool {
    event.properties().contains_key(property) || event.multi_properties().contains_key(property)
}

/// By the clocks by which it begins, and not in it any more.
fn end(event: &Event, from: &At, zone: &Zone) -> Result<DateTime, String> {
    if let Some(to) = at(event, "DTEND", zone)? {
        if to.is_day != from.is_day {
            return Err(
                "begins with a day and ends with a time, or the other way round".to_owned(),
            );
        }
        if to.is_day || to.zone == from.zone {
            return Ok(to.clock);
        }
        let there = to.clock.to_zoned(to.zone.rules().clone());
        let there = there.map_err(|error| format!("ends at no time: {error}"))?;
        return Ok(there.with_time_zone(from.zone.rules().clone()).datetime());
    }
    let lasts = match event.property_value("DURATION") {
        Some(text) => text
            .parse::<Span>()
            .map_err(|_| format!("lasts no time: `{}`", text.escape_default()))?,
        None if from.is_day => 1.day(),
        None => return Err("does not say when it ends".to_owned()),
    };
    let to = from.clock.checked_add(lasts);
    to.map_err(|_| "ends beyond all calendars".to_owned())
}

fn repeats(event: &Event, from: &At) -> Result<Repeats, String> {
    if let Some(exception) = EXCEPTIONS
        .into_iter()
        .find(|exception| has(event, exception))
    {
        return Err(format!(
            "has exceptions ({exception}), which a freeze has not"
        ));
    }
    let Some(rule) = event.property_value("RRULE") else {
        return Ok(Repeats::Never);
    };
    let parts = rule.split(';').filter_map(|part| part.split_once('='));
    let mut parts: BTreeMap<&str, &str> = parts.collect();
    let unlike = || {
        format!(
            "repeats as a freeze does not (`{}`): a freeze is every week, or every year, without an end",
            rule.escape_default()
        )
    };
    let is_as = |said: Option<&str>, meant: &str| said.is_none_or(|said| said == meant);
    let (month, day) = (from.clock.month().to_string(), from.clock.day().to_string());
    let weekday = WEEK_DAYS
        [usize::try_from(from.clock.weekday().to_monday_zero_offset()).unwrap_or_default()];
    // From which day on weeks are counted matters only to every second one.
    parts.remove("WKST");
    let plain = is_as(parts.remove("INTERVAL"), "1");
    let repeats = match parts.remove("FREQ") {
        Some("WEEKLY") if is_as(parts.remove("BYDAY"), weekday) => Repeats::Weekly,
        Some("YEARLY")
            if is_as(parts.remove("BYMONTH"), &month)
                && is_as(parts.remove("BYMONTHDAY"), &day) =>
        {
            Repeats::Yearly
        }
        _ => return Err(unlike()),
    };
    if plain && parts.is_empty() {
        Ok(repeats)
    } else {
        Err(unlike())
    }
}

/// As people would type it.
fn words(from: &At, to: DateTime, repeats: Repeats) -> Result<(String, String), String> {
    let last_day = || to.checked_sub(1.day()).unwrap_or(to);
    // Freezes are told in minutes: rather one too many.
    let up = DateTimeRound::new()
        .smallest(Unit::Minute)
        .mode(RoundMode::Ceil);
    let to = to.round(up).unwrap_or(to);
    let spelled = |at: DateTime, format| at.strftime(format).to_string();
    let lasts = to.duration_since(from.clock);
    let (format, last) = match repeats {
        Repeats::Never if from.is_day => ("%Y-%m-%d", last_day()),
        Repeats::Never => ("%Y-%m-%d %H:%M", to),
        Repeats::Weekly if lasts.as_hours() < 7 * 24 => ("%A %H:%M", to),
        Repeats::Weekly => return Err("is every week, and as long as a week".to_owned()),
        Repeats::Yearly if from.is_day && lasts.as_hours() <= 365 * 24 => ("%m-%d", last_day()),
        Repeats::Yearly => {
            return Err("is every year, and not of whole days within a year".to_owned());
        }
    };
    Ok((spelled(from.clock, format), spelled(last, format)))
}
