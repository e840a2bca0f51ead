//! What calendars hold, and what becomes of it.

use super::*;

fn read(events: &str) -> Result<Imported, Refusal> {
    let berlin = "Europe/Berlin".parse().unwrap();
    let now = "2029-11-01T00:00:00Z".parse().unwrap();
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n{events}END:VCALENDAR\r\n"
    );
    import(&text, Scope::Fleet, &berlin, now)
}

fn event(lines: &str) -> String {
    let lines = lines.replace('|', "\r\n");
    format!("BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20290101T000000Z\r\n{lines}\r\nEND:VEVENT\r\n")
}

#[test]
fn every_event_is_a_freeze_by_the_clocks_that_it_goes_by() {
    for (lines, freeze) in [
        (
            "SUMMARY:Year-end closing|DTSTART;VALUE=DATE:20291220|DTEND;VALUE=DATE:20300104",
            "Year-end closing, from 2029-12-20 00:00 to 2030-01-04 00:00 Europe/Berlin",
        ),
        (
            "SUMMARY:Sale\\, online|DTSTART:20291123T170000Z|DTEND:20291126T080000Z",
            "Sale, online, from 2029-11-23 17:00 to 2029-11-26 08:00 UTC",
        ),
        (
            "SUMMARY:Launch|DTSTART;TZID=America/New_York:20291201T090000|DURATION:PT36H",
            "Launch, from 2029-12-01 09:00 to 2029-12-02 21:00 America/New_York",
        ),
        (
            "SUMMARY:Audit|DTSTART:20291201T090000|DTEND;TZID=UTC:20291201T100000",
            "Audit, from 2029-12-01 09:00 to 2029-12-01 11:00 Europe/Berlin",
        ),
        (
            "SUMMARY:Holiday|DTSTART;VALUE=DATE:20291224",
            "Holiday, from 2029-12-24 00:00 to 2029-12-25 00:00 Europe/Berlin",
        ),
        (
            "SUMMARY:Every year|DTSTART;VALUE=DATE:20201220|DTEND;VALUE=DATE:20210104|RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=20",
            "Every year, every year from 12-20 to 01-03 Europe/Berlin",
        ),
        (
            "SUMMARY:Weekend|DTSTART:20201204T160000|DTEND:20201207T080000|RRULE:FREQ=WEEKLY;WKST=SU;BYDAY=FR;INTERVAL=1",
            "Weekend, every week from Fridays 16:00 to Mondays 08:00 Europe/Berlin",
        ),
    ] {
        let read = read(&event(lines)).unwrap();
        let freezes: Vec<String> = read.freezes.iter().map(ToString::to_string).collect();
        assert_eq!(freezes, [freeze], "{lines}");
        assert_eq!(read.left_out, []);
    }
}

#[test]
fn what_need_not_be_a_freeze_is_left_out_and_named() {
    let cancelled =
        event("SUMMARY:Sale|STATUS:CANCELLED|DTSTART:20291123T170000Z|DTEND:20291126T080000Z");
    let over = event("SUMMARY:Last year|DTSTART;VALUE=DATE:20281220|DTEND;VALUE=DATE:20290104");
    let read = read(&(cancelled + &over)).unwrap();
    assert_eq!(read.freezes, []);
    let left_out: Vec<_> = read
        .left_out
        .iter()
        .map(|left| (left.summary.as_str(), left.because))
        .collect();
    assert_eq!(
        left_out,
        [("Sale", "it is cancelled"), ("Last year", "it is over")]
    );
}

#[test]
fn a_file_that_is_made_to_hurt_is_refused_at_once() {
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    let now: Timestamp = "2029-11-01T00:00:00Z".parse().unwrap();
    let refused = |text: &str| import(text, Scope::Fleet, &berlin, now).unwrap_err();
    let says = "this is no calendar";
    for line in ["BEGIN:A\n", "BEG\n IN:A\n", "A:\n", "begin : a\r\n"] {
        let sentence = refused(&line.repeat(1_000_000 / line.len())).sentence;
        assert!(sentence.starts_with(says), "{line:?}: {sentence}");
    }
    let events = event("SUMMARY:Sale|DTSTART;VALUE=DATE:20291224").repeat(EVENTS_MAX + 1);
    let many = read(&events).unwrap_err().sentence;
    assert_eq!(
        many,
        "the calendar has 501 events, and 500 are taken at a time"
    );
}

#[test]
fn lines_may_end_and_be_folded_as_they_like() {
    let text = event("SUMMARY:Year-end clo|\tsing|DTSTART;VALUE=DATE:2029|  1224")
        .replace("  1224", " 1224");
    for text in [text.clone(), text.replace("\r\n", "\n")] {
        let read = read(&text).unwrap();
        let freezes: Vec<String> = read.freezes.iter().map(ToString::to_string).collect();
        assert_eq!(
            freezes,
            ["Year-end closing, from 2029-12-24 00:00 to 2029-12-25 00:00 Europe/Berlin"]
        );
    }
}

#[test]
fn what_a_freeze_cannot_be_is_refused_with_all_that_came_with_it() {
    const DAY: &str = "DTSTART;VALUE=DATE:20291220";
    for (lines, says) in [
        (
            "SUMMARY:x|DTEND:20291126T080000Z",
            "does not say when it begins",
        ),
        (
            "SUMMARY:x|DTSTART:20291126T080000Z",
            "does not say when it ends",
        ),
        (
            "SUMMARY:x|DTSTART:soon|DTEND:later",
            "has no time in DTSTART: `soon`",
        ),
        (
            "SUMMARY:x|DTSTART;TZID=W. Europe:20291126T080000|DURATION:PT1H",
            "a zone that is not known",
        ),
        (
            "SUMMARY:x|DTSTART:20291126T080000Z|DURATION:long",
            "lasts no time: `long`",
        ),
        (
            "SUMMARY:x|DTSTART:20291126T080000Z|DTEND:20291126T080000Z",
            "ends before it has begun",
        ),
        // As words it would be nearly the whole week.
        (
            "SUMMARY:x|DTSTART:20291126T080000Z|DTEND:20291125T080000Z|RRULE:FREQ=WEEKLY",
            "ends before it has begun",
        ),
        (
            &format!("SUMMARY:x|{DAY}|DTEND:20291226T080000Z"),
            "begins with a day and ends with a time",
        ),
        (
            &format!("SUMMARY:x|{DAY}|RRULE:FREQ=MONTHLY"),
            "repeats as a freeze does not (`FREQ=MONTHLY`)",
        ),
        (
            &format!("SUMMARY:x|{DAY}|RRULE:FREQ=YEARLY;INTERVAL=2"),
            "repeats as a freeze does not",
        ),
        (
            &format!("SUMMARY:x|{DAY}|RRULE:FREQ=YEARLY;COUNT=3"),
            "repeats as a freeze does not",
        ),
        (
            &format!("SUMMARY:x|{DAY}|RRULE:FREQ=WEEKLY;BYDAY=MO,TU"),
            "repeats as a freeze does not",
        ),
        (
            &format!("SUMMARY:x|{DAY}|RRULE:FREQ=WEEKLY|EXDATE;VALUE=DATE:20291227"),
            "has exceptions (EXDATE)",
        ),
        (
            "SUMMARY:x|DTSTART:20291126T080000Z|DURATION:PT1H|RRULE:FREQ=YEARLY",
            "not of whole days",
        ),
        (
            "SUMMARY:x|DTSTART;VALUE=DATE:20291105|DURATION:P7D|RRULE:FREQ=WEEKLY",
            "as long as a week",
        ),
        (
            &format!("SUMMARY:x|{DAY}|RRULE:FREQ=WEEKLY"),
            "is repeated from a later time on",
        ),
        (
            "SUMMARY:x|DTSTART;VALUE=DATE:20301220|RRULE:FREQ=YEARLY",
            "is repeated from a later time on",
        ),
        (DAY, "the reason of a freeze is a line"),
    ] {
        let good = event(&format!("SUMMARY:Good|{DAY}"));
        let refusal = read(&(good + &event(lines))).unwrap_err();
        assert!(refusal.sentence.contains(says), "{lines}: {refusal}");
        assert!(refusal.sentence.starts_with("the event `"), "{refusal}");
    }
    let two = event("SUMMARY:a|DTSTART:soon") + &event("SUMMARY:b|DTSTART:soon");
    let refusal = read(&two).unwrap_err();
    assert!(
        refusal
            .sentence
            .starts_with("2 events cannot be freezes; the event `a` has no time"),
        "{refusal}"
    );
}

#[test]
fn what_is_no_calendar_is_refused() {
    for text in [
        "",
        "hello",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "BEGIN:VEVENT",
    ] {
        let refusal = import(text, Scope::Fleet, &Zone::UTC, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(
            refusal.sentence.contains("no calendar"),
            "{text}: {refusal}"
        );
    }
}
