//! Letters as people read them: golden, so that a change of words is looked at.

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::id::MaintenanceId;
use crate::maintenance::{Forecast, Window, Zone};
use crate::notice::kind::KINDS;
use crate::preflight::{Check, Run};

fn told(kind: Kind) -> Told {
    let at: Timestamp = "2026-12-01T22:30:00Z".parse().unwrap();
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    Told {
        id: 7,
        at: at - SignedDuration::from_hours(8 * 24),
        kind,
        database: Subject {
            name: "postgresql-flat-1".to_owned(),
            plan: "standard-0".to_owned(),
            window: Some(Window::typed("tuesday", "23:30", berlin).unwrap()),
            attachments: vec![("shop".to_owned(), "DATABASE".to_owned())],
        },
        about: About {
            maintenance: Some(MaintenanceId(Uuid::from_u128(1))),
            method: Some("changeover".to_owned()),
            method_because: Some("it has no standby".to_owned()),
            reason: Some("minor_release".to_owned()),
            reason_because: Some("PostgreSQL 15.20 is in the store".to_owned()),
            required_by: Some(at + SignedDuration::from_hours(20 * 24)),
            scheduled_for: Some(at),
            release_before: Some("15.18".to_owned()),
            release_after: Some("15.20".to_owned()),
            ..About::default()
        },
        ahead: None,
        forecast: None,
    }
}

fn ahead(checks: &[(Check, Verdict, &str, &str)]) -> Report {
    let judged = |&(check, verdict, seen, todo): &(Check, Verdict, &str, &str)| Judged {
        check,
        verdict,
        seen: seen.to_owned(),
        todo: Some(todo.to_owned()),
        waived: None,
    };
    Report {
        run: Run::Ahead,
        release_before: "15.18".to_owned(),
        release_after: "15.20".to_owned(),
        checks: checks.iter().map(judged).collect(),
        actions: vec![],
    }
}

#[test]
fn what_is_scheduled_says_what_when_and_what_people_can_do() {
    let letter = letter(&told(Kind::Scheduled));
    assert_eq!(
        letter.subject,
        "Maintenance of postgresql-flat-1 on Tue 1 Dec 2026, 23:30 CET"
    );
    insta::assert_snapshot!(letter.plain());
    let appointment = letter.appointment.unwrap();
    assert!(!appointment.cancelled);
    assert_eq!(appointment.begins + window::LENGTH, appointment.ends);
}

#[test]
fn who_is_told_of_what_is_planned_is_told_what_stands_in_its_way() {
    let mut told = told(Kind::Reminder);
    let transaction = (
        Check::Transactions,
        Verdict::Warning,
        "a transaction of role `reports`, application `nightly` (idle in transaction: SELECT ?) has been open for 5400 s",
        "the switch waits for it up to ten minutes, then is given up",
    );
    let tables = (
        Check::UnloggedTables,
        Verdict::Blocked,
        "unlogged tables would be emptied: public.cache",
        "waive it, or make them logged",
    );
    let passed = (Check::Primary, Verdict::Pass, "the primary runs", "");
    told.ahead = Some(ahead(&[passed, transaction, tables]));
    told.forecast = Some(Forecast {
        preparing_ms: Some(754_000.0),
        run_ms: 3_100.0,
        held_ms: Some(143.0),
        write_gap_ms: Some(151.0),
        because: "as the last 3 runs of this database".to_owned(),
    });
    insta::assert_snapshot!(letter(&told).plain());
    told.ahead = Some(ahead(&[transaction]));
    let delayed = letter(&told);
    assert_eq!(delayed.obstacles.len(), 1);
    assert!(!delayed.plain().contains("nothing that you have to do"));
    told.ahead = Some(ahead(&[passed]));
    let clear = letter(&told);
    assert_eq!(clear.obstacles, []);
    assert!(clear.plain().contains("nothing that you have to do"));
    assert!(clear.says.last().unwrap().contains("nothing could delay"));
}

#[test]
fn what_is_done_says_what_clients_felt() {
    let mut told = told(Kind::Succeeded);
    told.about.scheduled_for = None;
    told.about.felt = Some(Felt {
        longest_write_gap_ms: Some(143.4),
        held_ms: 120.0,
        sessions_held: 56,
        sessions_moved: 55,
        sessions_closed: [("temporary tables".to_owned(), 1)].into(),
        sessions_at_risk: [].into(),
        statements_failed: 0,
    });
    let closed = letter(&told);
    assert_eq!(
        closed.subject,
        "Done: maintenance of postgresql-flat-1, writes paused for 143 ms"
    );
    insta::assert_snapshot!(closed.plain());
    told.about.felt.as_mut().unwrap().sessions_closed.clear();
    let kept = letter(&told).says;
    assert!(kept[1].contains("No statement failed and no connection was dropped."));
}

#[test]
fn what_was_missed_says_why_and_when_it_comes_now() {
    let mut told = told(Kind::Missed);
    told.about.because = Some("a transaction of reports did not end".to_owned());
    told.about.note = Some("missed on 24 November".to_owned());
    insta::assert_snapshot!(letter(&told).plain());
}

#[test]
fn what_people_typed_cannot_forge_a_line() {
    let evil = "x\r\nBcc: everybody@example.com\r\n\r\n<b>";
    for kind in KINDS {
        let mut told = told(kind);
        told.database.name = evil.to_owned();
        told.database.attachments = vec![(evil.to_owned(), evil.to_owned())];
        for text in [
            &mut told.about.reason_because,
            &mut told.about.note,
            &mut told.about.because,
            &mut told.about.sentence,
            &mut told.about.begun_by,
            &mut told.about.method_because,
        ] {
            *text = Some(evil.to_owned());
        }
        told.ahead = Some(ahead(&[(
            Check::Transactions,
            Verdict::Warning,
            evil,
            evil,
        )]));
        let letter = letter(&told);
        let facts = letter
            .facts
            .iter()
            .flat_map(|fact| [&fact.name, &fact.value]);
        let errands = letter.errands.iter().map(|errand| &errand.command);
        let summary = letter
            .appointment
            .iter()
            .map(|appointment| &appointment.summary);
        let obstacles = letter.obstacles.iter();
        let obstacles = obstacles.flat_map(|found| [Some(&found.seen), found.todo.as_ref()]);
        let parts = facts.chain(errands).chain(summary).chain(&letter.says);
        let mut all = parts.chain(obstacles.flatten());
        assert!(all.all(|text| !text.contains(char::is_control)), "{kind:?}");
        assert!(!letter.subject.contains(char::is_control), "{kind:?}");
    }
}

#[test]
fn every_kind_is_known_by_its_word_and_says_something() {
    for kind in KINDS {
        assert_eq!(Kind::named(kind.as_str()), Some(kind));
        let letter = letter(&told(kind));
        assert!(!letter.says.is_empty(), "{kind:?}");
        assert!(!letter.plain().contains("  ."), "{kind:?}");
    }
}
