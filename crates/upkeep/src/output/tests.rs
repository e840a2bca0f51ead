//! Transcripts of the live view, the verdict and failures.

use std::io::Write;
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use serde_json::json;
use upkeep_api::body::{Event, EventKind, Maintenance, Outcome, Progress};

use super::{Drawing, LiveView, Output, last_failure, render_failure, render_verdict};
use crate::exit::{Exit, Failure};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn event(step: &str, kind: EventKind, sentence: &str) -> Event {
    Event {
        at: "2030-01-15T17:30:00.000Z".to_owned(),
        detail: json!(null),
        id: 1,
        kind,
        elapsed_ms: (kind == EventKind::Done).then_some(1_234.5),
        procedure: "changeover".to_owned(),
        progress: None,
        sentence: sentence.to_owned(),
        step: Some(step.to_owned()),
        workflow: uuid::Uuid::nil(),
    }
}

fn progress(done_bytes: u64, total_bytes: Option<u64>) -> Event {
    let progress = Some(Progress {
        done_bytes,
        total_bytes,
    });
    Event {
        progress,
        ..event("base_backup", EventKind::Progress, "copying")
    }
}

fn a_changeover() -> Vec<Event> {
    vec![
        event(
            "check",
            EventKind::Began,
            "Checking that nothing stands in the way",
        ),
        event("check", EventKind::Done, "done"),
        event(
            "base_backup",
            EventKind::Began,
            "Copying the database to its replacement",
        ),
        progress(10 << 20, Some(100 << 20)),
        progress(11 << 20, Some(100 << 20)),
        progress(52 << 20, Some(100 << 20)),
        progress(105 << 20, Some(100 << 20)),
        event("base_backup", EventKind::Done, "done"),
        event(
            "check_again",
            EventKind::Began,
            "Waiting for transactions that would delay the switch",
        ),
        event(
            "check_again",
            EventKind::Waiting,
            "a transaction of `reports`",
        ),
        event(
            "check_again",
            EventKind::Waiting,
            "a transaction of `reports`",
        ),
        event("check_again", EventKind::Ended, "Rolled back"),
    ]
}

#[test]
fn away_from_a_terminal_each_change_is_a_line() {
    let mut view = LiveView::new(Drawing::LineByLine);
    let lines: String = a_changeover()
        .iter()
        .map(|event| view.take(event))
        .collect();
    assert_snapshot!(lines);
}

#[test]
fn a_long_wait_is_told_now_and_then() {
    let mut view = LiveView::new(Drawing::LineByLine);
    view.take(&event("check_again", EventKind::Began, "Waiting"));
    let wait = |second| {
        event(
            "check_again",
            EventKind::Waiting,
            &format!("open for {second} s"),
        )
    };
    let lines: String = (1..=25).map(|second| view.take(&wait(second))).collect();
    let told: Vec<_> = lines
        .lines()
        .map(|line| line.split_once("open for ").unwrap().1)
        .collect();
    assert_eq!(told, ["1 s", "10 s", "20 s"]);
}

#[test]
fn on_a_terminal_the_steps_are_drawn_in_place() {
    let mut view = LiveView::new(Drawing::InPlace);
    for event in a_changeover() {
        assert_eq!(view.take(&event), "");
    }
    let first = view.redraw(2_100.0);
    let again = view.redraw(2_200.0);
    assert!(
        again.starts_with(&"\x1b[1A\x1b[2K".repeat(first.lines().count())),
        "{again:?}"
    );
    assert_snapshot!(first);
}

#[test]
fn a_step_that_is_done_anew_has_a_line_of_its_own() {
    let mut view = LiveView::new(Drawing::InPlace);
    for (step, kind) in [
        ("mark", EventKind::Began),
        ("mark", EventKind::Done),
        ("fence", EventKind::Began),
        ("fence", EventKind::Failed),
        ("mark", EventKind::Began),
    ] {
        view.take(&event(step, kind, &format!("The sentence of {step}")));
    }
    assert_snapshot!(view.redraw(0.5));
}

/// Read from text, as the client does: a `Value` would sort the steps.
fn record() -> Maintenance {
    let text = r#"{
        "addon": {
            "attachments": ["DATABASE_URL"], "description": "Standard Non-HA", "kind": "heroku-postgresql",
            "name": "postgresql-curved-12345", "plan": "standard-0",
            "uuid": "0191e6a0-0000-7000-8000-000000000001", "window": null
        },
        "app": {"name": "example-app", "uuid": "0191e6a0-0000-7000-8000-000000000002"},
        "felt": {
            "held_ms": 23.5, "longest_write_gap_ms": 41.25, "sessions_closed": {"cursor": 1, "temporary table": 2},
            "sessions_at_risk": {"custom settings whose names are not known": 2},
            "sessions_held": 12, "sessions_moved": 9, "statements_failed": 0
        },
        "method": "changeover", "method_because": "its plan has no standby",
        "outcome": "succeeded", "release_after": "15.20-debian", "release_before": "15.18-system",
        "settings_applied": [{"after": "32768", "before": "16384", "name": "shared_buffers"}],
        "status": "completed",
        "steps_ms": {"check": 12.25, "base_backup": 4200.0, "hold": 1.5, "fence": 0.42, "retire": 200000.0}
    }"#;
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_verdict_says_what_clients_felt_and_where_the_time_went() {
    assert_snapshot!(render_verdict(&record()));
}

#[test]
fn a_verdict_without_a_hold_says_only_why_it_ended() {
    let mut record = record();
    record.felt = None;
    record.settings_applied.clear();
    record.outcome = Some(Outcome::RolledBack);
    record.outcome_because = Some("the replacement did not catch up within 6 h".to_owned());
    record.steps_ms.0.truncate(2);
    assert_snapshot!(render_verdict(&record));
}

#[test]
fn a_success_that_fell_back_says_so_first() {
    let mut record = record();
    record.fell_back = Some("it did not start as it was to".to_owned());
    let verdict = render_verdict(&record);
    let heading =
        "=== Maintenance of postgresql-curved-12345: succeeded, but a person has to look\n";
    assert!(verdict.starts_with(heading), "{verdict}");
    assert!(verdict.contains("Fell back because"), "{verdict}");
}

#[test]
fn why_it_was_rolled_back_is_told_once_on_the_way() {
    let mut view = LiveView::new(Drawing::LineByLine);
    let lines: String = [
        event("hold", EventKind::Failed, "a transaction did not end"),
        event("discard", EventKind::Began, "Removing the replacement"),
        event(
            "discard",
            EventKind::Ended,
            "Rolled back, nothing changed: a transaction did not end",
        ),
    ]
    .iter()
    .map(|event| view.take(event))
    .collect();
    assert_eq!(
        lines.matches("a transaction did not end").count(),
        1,
        "{lines}"
    );
    assert!(lines.ends_with("Rolled back, nothing changed\n"), "{lines}");
}

#[test]
fn a_failure_ends_with_what_to_do() {
    let failure = Failure::refused("there is no plan `x`").with_hint("plans: standard-0");
    assert_snapshot!(render_failure(&failure));
}

#[test]
fn the_last_failure_of_a_program_is_read_as_it_was_meant() {
    let failure = Failure::refused("cannot listen\non it").with_hint("choose another address");
    let said = render_failure(&failure);
    let log = format!("INFO begun\n ›   Error: an older one\n{said}\n");
    assert_eq!(last_failure(&log, Exit::Refused), Some(failure));
    assert_eq!(last_failure("INFO begun\n", Exit::Refused), None);
}

#[tokio::test]
async fn results_go_to_stdout_and_talk_to_stderr() {
    let (out, err) = (Paper::default(), Paper::default());
    let mut output = Output::captured(Box::new(out.clone()), Box::new(err.clone()), false);
    let made: Result<_, Failure> = output
        .doing("Creating app", async { Ok::<_, Failure>("shop") })
        .await;
    output.result(made.unwrap(), str::to_owned);
    let failed = output
        .doing("Creating app", async {
            Err::<(), _>(Failure::new(Exit::NotDone, "no"))
        })
        .await;
    assert_eq!(output.fail(&failed.unwrap_err()), Exit::NotDone);
    assert_eq!(out.text(), "shop\n");
    assert_eq!(
        err.text(),
        "Creating app... done\nCreating app... !\n ›   Error: no\n"
    );
}

#[test]
fn with_json_the_last_line_is_the_whole_result() {
    let (out, err) = (Paper::default(), Paper::default());
    let mut output = Output::captured(Box::new(out.clone()), Box::new(err), true);
    output.result(&json!([1, 2]), |_| "for people".to_owned());
    assert_eq!(out.text(), "[1,2]\n");
    // A run that was rolled back has a record, and it is the last line.
    output.fail(&Failure::new(Exit::NotDone, "no"));
    assert_eq!(out.text(), "[1,2]\n");
}

#[test]
fn with_json_a_refusal_is_an_object_where_there_is_no_result() {
    let (out, err) = (Paper::default(), Paper::default());
    let mut output = Output::captured(Box::new(out.clone()), Box::new(err), true);
    output.fail(&Failure::refused("no").with_hint("ask for another"));
    let object = r#"{"error":"no","exit_code":2,"hint":"ask for another"}"#;
    assert_eq!(out.text(), format!("{object}\n"));
}
