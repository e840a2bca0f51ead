//! What happened, in words: what, when, what will happen, and what people can do.

use jiff::Timestamp;

pub use super::letter::one_line;
use super::when::{long, short};
use super::{About, Appointment, Errand, Fact, Kind, Letter, Obstacle, Subject, Told};
use crate::hold::Felt;
use crate::maintenance::method::Method;
use crate::maintenance::turn::ITSELF;
use crate::maintenance::window;
use crate::preflight::{Judged, Report, Verdict};
use crate::procedure::End;

/// Puts it into words.
pub fn letter(told: &Told) -> Letter {
    let (name, about) = (&told.database.name, &told.about);
    let at = about.scheduled_for.map(|at| short(at, &told.database));
    let on = at.map(|at| format!(" on {at}")).unwrap_or_default();
    let (subject, says) = match told.kind {
        Kind::Scheduled => (
            format!("Maintenance of {name}{on}"),
            vec![has_to_be(told), scheduled(told), will_happen(told)],
        ),
        Kind::Changed => (
            format!("Changed: maintenance of {name}{on}"),
            vec![
                format!("What is planned for {} has changed.", known_as(told)),
                has_to_be(told),
                scheduled(told),
                will_happen(told),
            ],
        ),
        Kind::Moved => (
            format!("Moved: maintenance of {name}{on}"),
            vec![moved(told), will_happen(told)],
        ),
        Kind::Emergency => (
            format!("Emergency: maintenance of {name} is begun now"),
            vec![
                has_to_be(told),
                "This is an emergency: it is done now, and waits neither for its window nor for the end of a freeze."
                    .to_owned(),
                will_happen(told),
            ],
        ),
        Kind::Reminder => (
            format!("Reminder: maintenance of {name}{on}"),
            vec![has_to_be(told), scheduled(told), will_happen(told)],
        ),
        Kind::Started => (
            format!("Started: maintenance of {name}"),
            vec![started(told), will_happen(told)],
        ),
        Kind::Succeeded => (
            ended(name, End::Succeeded, about.felt.as_ref()),
            vec![succeeded(told), felt(about)],
        ),
        Kind::RolledBack | Kind::Again => {
            let subject = ended(name, End::RolledBack, None);
            (subject, vec![rolled_back(told)])
        }
        Kind::Stuck => (ended(name, End::Stuck, None), vec![stuck(told)]),
        Kind::Missed => (
            format!("Missed: maintenance of {name} was not done in its window"),
            vec![missed(told), scheduled(told)],
        ),
        Kind::Withdrawn => (
            format!("Withdrawn: maintenance of {name}{on}"),
            vec![format!(
                "There is no reason any more to maintain {}; nothing will be done.",
                known_as(told)
            )],
        ),
    };
    let says = says.into_iter().chain([was_seen(told)]);
    let says = says.map(|paragraph| one_line(&paragraph));
    Letter {
        subject: one_line(&subject),
        says: says.filter(|paragraph| !paragraph.is_empty()).collect(),
        obstacles: obstacles(told),
        facts: facts(told),
        errands: errands(told),
        appointment: appointment(told),
    }
}

/// How a maintenance ended, in a line.
pub fn ended(name: &str, end: End, felt: Option<&Felt>) -> String {
    let gap = felt.and_then(|felt| felt.longest_write_gap_ms);
    let gap = gap.map(|gap| format!(", writes paused for {gap:.0} ms"));
    match end {
        End::Succeeded => format!("Done: maintenance of {name}{}", gap.unwrap_or_default()),
        End::RolledBack => format!("Not done: maintenance of {name}"),
        End::Stuck => format!("Stuck: maintenance of {name} needs a person"),
    }
}

/// `15.18 -> 15.20`, or the one that stays.
pub fn releases(before: Option<&str>, after: Option<&str>) -> Option<String> {
    let before = before?;
    Some(match after {
        Some(after) if before != after => format!("{before} -> {after}"),
        _ => before.to_owned(),
    })
}

/// For people who want to see whether notices reach them.
pub fn trial(asked_by: &str) -> Letter {
    let says = format!(
        "{asked_by} wanted to know whether notices of maintenances reach this address. They do."
    );
    Letter {
        subject: "Upkeep reaches you".to_owned(),
        says: vec![one_line(&says)],
        obstacles: vec![],
        facts: vec![],
        errands: vec![],
        appointment: None,
    }
}

/// `postgresql-flat-1 (DATABASE on shop, REPORTS on web)`.
fn known_as(told: &Told) -> String {
    let Subject {
        name, attachments, ..
    } = &told.database;
    let names = attachments
        .iter()
        .map(|(app, attachment)| format!("{attachment} on {app}"));
    match names.collect::<Vec<_>>().join(", ") {
        names if names.is_empty() => name.clone(),
        names => format!("{name} ({names})"),
    }
}

fn has_to_be(told: &Told) -> String {
    let because = &told.about.reason_because;
    let because = because.as_ref().map(|because| format!(": {because}"));
    let because = because.unwrap_or_default();
    format!(
        "Your database {} has to be maintained{because}.",
        known_as(told)
    )
}

fn scheduled(told: &Told) -> String {
    let Some(at) = told.about.scheduled_for else {
        return format!("It is not scheduled yet.{}", noted(&told.about));
    };
    let window = told.database.window.as_ref();
    let window = window.map(|window| format!(", in the window of {window}"));
    format!(
        "It is scheduled for {}{}.{}",
        long(at, &told.database),
        window.unwrap_or_default(),
        noted(&told.about)
    )
}

fn noted(about: &About) -> String {
    let note = about.note.as_ref();
    note.map(|note| format!(" Note: {note}."))
        .unwrap_or_default()
}

fn moved(told: &Told) -> String {
    let about = &told.about;
    let time =
        |at: Option<Timestamp>| at.map_or("no time".to_owned(), |at| long(at, &told.database));
    format!(
        "The maintenance of {} was moved from {} to {}.{}",
        known_as(told),
        time(about.previously_scheduled_for),
        time(about.scheduled_for),
        noted(about)
    )
}

/// What is done, as far as applications are concerned.
fn will_happen(told: &Told) -> String {
    let method = told.about.method.as_deref().map(Method::named);
    let (how, pause) = match method {
        Some(Ok(Method::Changeover)) => (
            "A replacement is built beside the server and takes over from it (a changeover).",
            "a fraction of a second",
        ),
        Some(Ok(Method::Failover)) => (
            "The standby is brought up to date and takes over (a failover).",
            "a fraction of a second",
        ),
        Some(Ok(Method::Restart)) => (
            "The server is stopped and started again (a restart).",
            "about a second",
        ),
        Some(Err(_)) | None => return String::new(),
    };
    let nothing_to_do = if obstacles(told).is_empty() {
        " There is nothing that you have to do."
    } else {
        ""
    };
    format!(
        "{how} Applications keep their connections, and statements wait for {pause} at the switch.{nothing_to_do}"
    )
}

/// What came of looking at the database for what is planned.
fn was_seen(told: &Told) -> String {
    let says = match told.ahead.as_ref().map(Report::verdict) {
        Some(Verdict::Pass) => {
            "We have looked: nothing could delay it, or stand in its way, as things are now."
        }
        Some(Verdict::Warning) => {
            "We have looked: this could delay it, or cost something that you should know of."
        }
        Some(Verdict::Blocked) => {
            "We have looked: as things are now it cannot be done. Please see to this before."
        }
        None => "",
    };
    says.to_owned()
}

fn obstacles(told: &Told) -> Vec<Obstacle> {
    let found = told.ahead.iter().flat_map(Report::obstacles);
    let obstacle = |judged: &Judged| Obstacle {
        seen: one_line(&judged.seen),
        todo: judged.todo.as_deref().map(one_line),
    };
    found.map(obstacle).collect()
}

fn started(told: &Told) -> String {
    let by = told.about.begun_by.as_ref();
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    format!("The maintenance of {} was begun{by}.", known_as(told))
}

fn succeeded(told: &Told) -> String {
    format!("The maintenance of {} is done.", known_as(told))
}

fn felt(about: &About) -> String {
    let Some(felt) = &about.felt else {
        return String::new();
    };
    let closed: u32 = felt.sessions_closed.values().sum();
    let kept = match (felt.statements_failed, closed) {
        (0, 0) => "No statement failed and no connection was dropped.".to_owned(),
        (failed, closed) => format!(
            "Statements that failed: {failed}. Sessions that could not be carried and were closed: {closed}{}.",
            by_reason(felt)
        ),
    };
    format!("What your applications felt of it: {} {kept}", pause(felt))
}

fn pause(felt: &Felt) -> String {
    match felt.longest_write_gap_ms {
        Some(gap) => format!("writes paused for {gap:.0} ms."),
        None => format!(
            "statements were held for {:.0} ms (there were too few writes to measure their pause).",
            felt.held_ms
        ),
    }
}

fn by_reason(felt: &Felt) -> String {
    let reasons = felt.sessions_closed.iter();
    let reasons: Vec<String> = reasons
        .map(|(reason, count)| format!("{count} for {reason}"))
        .collect();
    if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    }
}

fn rolled_back(told: &Told) -> String {
    let about = &told.about;
    let next = match (&about.cancelled_by, about.begun_by.as_deref()) {
        (Some(by), _) => format!("It was called off by {by}."),
        (None, Some(ITSELF)) => {
            "While its window is open it is tried again; afterwards it is planned for another one."
                .to_owned()
        }
        (None, _) => "It was begun by hand, and is not tried again by itself.".to_owned(),
    };
    format!(
        "The maintenance of {} was given up, and everything is as it was before. {} {next}",
        known_as(told),
        what_went_wrong(about)
    )
}

fn stuck(told: &Told) -> String {
    format!(
        "The maintenance of {} cannot go on by itself, and a person has to look. {} \
         When the cause is put right, run the maintenance again: it goes on where it is.",
        known_as(told),
        what_went_wrong(&told.about)
    )
}

fn what_went_wrong(about: &About) -> String {
    let sentence = about.sentence.as_ref();
    sentence
        .map(|sentence| format!("What went wrong: {}.", sentence.trim_end_matches('.')))
        .unwrap_or_default()
}

fn missed(told: &Told) -> String {
    let because = told.about.because.as_ref();
    let because = because
        .map(|because| format!(": {because}"))
        .unwrap_or_default();
    format!(
        "The maintenance of {} was not done in its window{because}.",
        known_as(told)
    )
}

fn facts(told: &Told) -> Vec<Fact> {
    let (database, about) = (&told.database, &told.about);
    let time = |at: Option<Timestamp>| at.map(|at| long(at, database));
    let ahead = |at: Option<Timestamp>| time(at.filter(|_| told.kind.is_ahead()));
    let (before, after) = (&about.release_before, &about.release_after);
    let release = releases(before.as_deref(), after.as_deref());
    let method = about.method.as_ref().map(|method| {
        let because = about.method_because.as_ref();
        let because = because.map(|because| format!(", because {because}"));
        format!("{method}{}", because.unwrap_or_default())
    });
    let facts = [
        ("Database", Some(known_as(told))),
        ("Plan", Some(database.plan.clone())),
        ("When", ahead(about.scheduled_for)),
        ("Before", ahead(about.previously_scheduled_for)),
        ("Required by", time(about.required_by)),
        ("Window", database.window.as_ref().map(ToString::to_string)),
        ("Reason", about.reason.clone()),
        ("Method", method),
        ("Release", release),
        ("Forecast", told.forecast.as_ref().map(ToString::to_string)),
    ];
    let known = facts.into_iter().filter_map(|(name, value)| {
        Some(Fact {
            name: name.to_owned(),
            value: one_line(&value?),
        })
    });
    known.collect()
}

fn errands(told: &Told) -> Vec<Errand> {
    let name = &told.database.name;
    let of = |verb: &str, more: &str| format!("upkeep data:maintenances:{verb} {name}{more}");
    // Without a window there is nothing to choose, and nothing to do by hand but what is stuck.
    let window = told.database.window.as_ref();
    let app = told.database.attachments.first().map(|(app, _)| app);
    let run = app
        .filter(|_| window.is_some() || told.kind == Kind::Stuck)
        .map(|app| {
            let command = of("run", &format!(" --confirm {app} --wait"));
            ("To run it now, by hand", command)
        });
    let info = Some(("To read how it stands", of("info", "")));
    let later = window.map(|_| ("To move it by a week", of("schedule", " --weeks 1")));
    let window = window.map(|_| {
        let command = of("window:update", " sunday 14:30");
        ("To choose another window", command)
    });
    let errands = match told.kind {
        kind if kind.is_ahead() => vec![run, later, window, info],
        Kind::Emergency | Kind::Started => vec![Some(("To watch it", of("wait", "")))],
        Kind::Succeeded | Kind::RolledBack | Kind::Again => vec![info],
        Kind::Stuck => vec![info, run.map(|(_, command)| ("To go on with it", command))],
        _ => vec![],
    };
    let errands = errands.into_iter().flatten();
    let errands = errands.map(|(purpose, command)| Errand {
        purpose: purpose.to_owned(),
        command: one_line(&command),
    });
    errands.collect()
}

/// Of what is planned. What is planned no more, or done before its time, goes from people's calendars.
fn appointment(told: &Told) -> Option<Appointment> {
    let begins = told.about.scheduled_for?;
    let cancelled = match told.kind {
        kind if kind.is_ahead() => false,
        Kind::Withdrawn | Kind::RolledBack => true,
        Kind::Started if told.at < begins => true,
        // In the place of the one that people have.
        Kind::Emergency => false,
        _ => return None,
    };
    Some(Appointment {
        uid: told.about.maintenance?.to_string(),
        revision: told.id,
        begins,
        ends: begins + window::LENGTH,
        summary: one_line(&format!("Maintenance of {}", told.database.name)),
        cancelled,
    })
}

#[cfg(test)]
mod tests;
