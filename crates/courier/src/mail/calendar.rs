//! An appointment for people's calendars (RFC 5545): the same bytes at every try, and a later one of the same
//! maintenance takes the place of those before.

use icalendar::{Calendar, Component, Event};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lettre::Address;
use upkeep_domain::notice::Appointment;

/// What a calendar is to do with it. Also said in the message, as the type of the part.
pub(super) fn method(appointment: &Appointment) -> &'static str {
    if appointment.cancelled {
        "CANCEL"
    } else {
        "PUBLISH"
    }
}

/// Whoever sends it organises it: calendars take a change only from them.
pub(super) fn text(appointment: &Appointment, told_at: Timestamp, from: &Address) -> String {
    let status = if appointment.cancelled {
        "CANCELLED"
    } else {
        "CONFIRMED"
    };
    let mut event = Event::new();
    event
        .uid(&appointment.uid)
        .summary(&appointment.summary)
        .add_property("SEQUENCE", appointment.revision.to_string())
        .add_property("STATUS", status)
        .add_property("ORGANIZER", format!("mailto:{from}"))
        // Not the crate's own, which would be now.
        .add_property("DTSTAMP", utc(told_at))
        .add_property("DTSTART", utc(appointment.begins))
        .add_property("DTEND", utc(appointment.ends))
        // Nobody is busy for it.
        .add_property("TRANSP", "TRANSPARENT");
    Calendar::empty()
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Upkeep//Upkeep//EN"))
        .append_property(("METHOD", method(appointment)))
        .push(event)
        .to_string()
}

fn utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}
