//! What the commands print, from answers of the server: transcripts to be read by people.

use insta::assert_snapshot;
use serde_json::{Value, json};
use upkeep_api::body::{Addon, Attachment, ConfigVars, Database, Maintenance, Preflight, Release};

use super::maintenances::{
    render_history, render_info, render_list, render_preflight, render_scheduled, render_window,
};
use super::{addons, pg, releases};

fn planned() -> Maintenance {
    serde_json::from_value(json!({
        "addon": {
            "attachments": ["DATABASE_URL", "HEROKU_POSTGRESQL_ROSE_URL"], "description": "Standard Non-HA",
            "kind": "heroku-postgresql", "name": "postgresql-curved-12345", "plan": "standard-0",
            "uuid": "0191e6a0-0000-7000-8000-000000000001", "window": "Tuesdays 17:30 to 21:30 UTC",
        },
        "app": {"name": "example-app", "uuid": "0191e6a0-0000-7000-8000-000000000002"},
        "completed_at": null, "duration_seconds": null, "method": "changeover",
        "previously_scheduled_for": null, "reason": "routine_maintenance",
        "required_by": "2030-01-27 00:00:00 +0000", "scheduled_for": "2030-01-15 17:30:00 +0000",
        "server_created_at": "2029-10-09 00:00:00 +0000", "started_at": null,
        "status": "ready", "window": "Tuesdays 17:30 to 21:30 UTC",
    }))
    .unwrap()
}

fn completed() -> Maintenance {
    let felt = json!({
        "held_ms": 23.5, "longest_write_gap_ms": 41.25, "sessions_closed": {}, "sessions_held": 12,
        "sessions_at_risk": {"custom settings whose names are not known": 1},
        "sessions_moved": 12, "statements_failed": 0,
    });
    Maintenance {
        completed_at: Some("2029-11-06 17:34:10 +0000".to_owned()),
        duration_seconds: Some(186),
        felt: Some(serde_json::from_value(felt).unwrap()),
        method_because: Some("its plan has no standby".to_owned()),
        settings_applied: vec![upkeep_api::body::AppliedSetting {
            after: "32768".to_owned(),
            before: "16384".to_owned(),
            name: "shared_buffers".to_owned(),
        }],
        outcome: Some(upkeep_api::body::Outcome::Succeeded),
        release_after: Some("15.20-debian".to_owned()),
        release_before: Some("15.18-system".to_owned()),
        started_at: Some("2029-11-06 17:31:04 +0000".to_owned()),
        status: upkeep_api::body::Status::Completed,
        steps_ms: upkeep_api::body::StepsMs(vec![
            ("base_backup".to_owned(), 4_200.0),
            ("hold".to_owned(), 1.5),
        ]),
        ..planned()
    }
}

fn addon() -> Addon {
    let free = json!({"cents": 0, "contract": false, "metered": false, "unit": "month"});
    serde_json::from_value(json!({
        "addon_service": {"name": "heroku-postgresql"},
        "app": {"id": "0191e6a0-0000-7000-8000-000000000002", "name": "example-app"},
        "billed_price": free, "config_vars": ["DATABASE_URL"], "created_at": "2029-10-09T00:00:00Z",
        "id": "0191e6a0-0000-7000-8000-000000000001", "name": "postgresql-curved-12345",
        "plan": {"name": "heroku-postgresql:standard-0", "price": free}, "provision_message": null,
        "state": "provisioned",
    }))
    .unwrap()
}

#[test]
fn what_is_not_known_or_over_is_a_dash_in_the_list() {
    assert_snapshot!(render_list(&[planned(), completed()]));
}

#[test]
fn a_planned_maintenance_is_shown_as_heroku_shows_it() {
    assert_snapshot!(render_info(&planned()));
}

#[test]
fn a_completed_maintenance_shows_what_clients_felt() {
    assert_snapshot!(render_info(&completed()));
}

#[test]
fn the_history_says_how_each_one_ended() {
    assert_snapshot!(render_history(&[completed()]));
}

#[test]
fn databases_are_listed_with_their_config_vars() {
    let attached = |app: Value, name: &str| -> Attachment {
        serde_json::from_value(json!({
            "addon": {
                "app": {"id": "0191e6a0-0000-7000-8000-000000000002", "name": "example-app"},
                "config_vars": [], "id": addon().id, "name": addon().name, "plan": {"name": "heroku-postgresql:standard-0"},
            },
            "app": app, "config_vars": [format!("{name}_URL")], "id": "0191e6a0-0000-7000-8000-000000000003",
            "name": name, "namespace": null,
        }))
        .unwrap()
    };
    let own = json!({"id": "0191e6a0-0000-7000-8000-000000000002", "name": "example-app"});
    let other = json!({"id": "0191e6a0-0000-7000-8000-000000000004", "name": "reports"});
    let attachments = [
        attached(own.clone(), "DATABASE"),
        attached(own, "HEROKU_POSTGRESQL_ROSE"),
        attached(other, "SHOP"),
    ];
    assert_snapshot!(addons::render_addons(&[addon()], &attachments));
}

#[test]
fn a_database_is_shown_without_the_password_of_another() {
    let database: Database = serde_json::from_value(json!({
        "addon_id": "0191e6a0-0000-7000-8000-000000000001", "created_at": "2029-10-09 00:00:00 +0000",
        "following": null, "forked_from": null, "leader": null, "name": "postgresql-curved-12345",
        "num_bytes": null, "num_connections": null, "num_tables": null, "postgres_version": "15.18",
        "plan": {"id": 1, "name": "standard-0"}, "resource_url": "postgres://u:secret@db:5432/x", "waiting?": false,
        "info": [
            {"name": "Plan", "values": ["Standard 0"]},
            {"name": "Followers", "resolve_db_name": true, "values": ["postgres://u:secret@db:5432/y", "postgres://u:secret@db:5432/z"]},
            {"name": "Maintenance", "values": ["not required"]},
        ],
    }))
    .unwrap();
    let url = |dbname| format!("postgres://u:secret@db:5432/{dbname}");
    let vars = ConfigVars::from([
        ("DATABASE_URL".to_owned(), url("x")),
        ("GREEN_URL".to_owned(), url("y")),
    ]);
    let text = pg::render_info(&addon(), &database, &vars);
    assert!(!text.contains("secret"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_release_says_what_it_was_built_with() {
    let release = Release {
        added_at: "2029-10-09T00:00:00Z".to_owned(),
        bin_dir: "/var/lib/upkeep/releases/15.20-debian/bin".to_owned(),
        extensions: vec!["pg_stat_statements".to_owned(), "pgcrypto".to_owned()],
        icu: true,
        name: "15.20-debian".to_owned(),
        programs: vec![
            "initdb".to_owned(),
            "pg_ctl".to_owned(),
            "postgres".to_owned(),
        ],
        source: "Debian package postgresql-15 15.20-0+deb12u1".to_owned(),
        tls: false,
        version: "15.20".to_owned(),
    };
    let both = [
        releases::render_releases(std::slice::from_ref(&release)),
        releases::render_release(&release),
    ];
    assert_snapshot!(both.join("\n\n"));
}

fn report() -> Preflight {
    serde_json::from_value(json!({
        "actions": [{
            "because": "GiST indexes of pg_trgm may miss rows", "command": "REINDEX INDEX CONCURRENTLY public.words",
            "minor": "15.20", "notes": "https://www.postgresql.org/docs/15/release-15-20.html", "object": "public.words",
        }],
        "checks": [
            {"name": "primary", "seen": "the server runs and is a primary", "verdict": "pass"},
            {"name": "unlogged_tables", "seen": "unlogged tables would be emptied: public.cache", "todo": "empty them",
             "verdict": "warning", "waived": {"because": "it is a cache", "by": "ama@example.com"}},
            {"name": "tablespaces", "seen": "there are tablespaces: fast", "todo": "drop them", "verdict": "blocked"},
        ],
        "release_after": "15.20-debian", "release_before": "15.18-system", "run": "before", "verdict": "blocked",
    }))
    .unwrap()
}

#[test]
fn a_preflight_is_a_table_with_what_to_do_beneath() {
    let expected = "\
=== Preflight, 15.18-system -> 15.20-debian: blocked by tablespaces; warnings of unlogged_tables

  Check             Verdict   Seen
 ────────────────────────────────────────────────────────────────────────────
  primary           pass      the server runs and is a primary
  unlogged_tables   waived    unlogged tables would be emptied: public.cache
  tablespaces       blocked   there are tablespaces: fast

To do
unlogged_tables: waived by ama@example.com: it is a cache
tablespaces:     drop them

Because of skipped minor releases, on the new release
15.20: public.words: GiST indexes of pg_trgm may miss rows
       REINDEX INDEX CONCURRENTLY public.words
       https://www.postgresql.org/docs/15/release-15-20.html";
    assert_eq!(render_preflight(&report()), expected);
}

#[test]
fn the_record_of_a_maintenance_tells_its_preflights_in_a_line_each() {
    let hold = Preflight {
        run: "before_hold".to_owned(),
        checks: Vec::new(),
        ..report()
    };
    let maintenance = Maintenance {
        preflight: vec![report(), hold],
        ..completed()
    };
    let text = render_info(&maintenance);
    let line = "before: blocked by tablespaces; warnings of unlogged_tables";
    assert!(text.contains(line), "{text}");
    assert!(
        text.contains("before the hold: nothing stands in the way"),
        "{text}"
    );
}

#[test]
fn a_window_and_what_its_change_moved_are_shown_as_heroku_shows_them() {
    let window = json!({
        "previous_window": "Tuesdays 17:30 to 21:30 UTC",
        "previously_scheduled_at": "2030-01-15 17:30:00 +0000",
        "scheduled_at": "2030-01-20 13:30:00 +0000",
        "window": "Sundays 13:30 to 17:30 UTC",
    });
    let window = serde_json::from_value(window).unwrap();
    assert_snapshot!(render_window(&window));
}

#[test]
fn a_new_week_is_told_in_herokus_words() {
    let scheduled = |from: Value| {
        let scheduled = json!({
            "previously_scheduled_for": from, "required_by": "2030-01-27 00:00:00 +0000",
            "scheduled_for": "2030-01-22 17:30:00 +0000", "window": "Tuesdays 17:30 to 21:30 UTC",
        });
        render_scheduled("orders", &serde_json::from_value(scheduled).unwrap())
    };
    assert_eq!(
        scheduled(json!("2030-01-15 17:30:00 +0000")),
        "Scheduled maintenance for orders changed from 2030-01-15 17:30:00 +0000 to 2030-01-22 17:30:00 +0000"
    );
    assert_eq!(
        scheduled(Value::Null),
        "Maintenance for orders scheduled for 2030-01-22 17:30:00 +0000"
    );
}

#[test]
fn freezes_are_listed_with_whose_they_are() {
    let freezes = json!([
        {
            "added_at": "2029-11-14T22:13:20Z", "added_by": "ama@example.com", "app": null,
            "because": "year-end closing", "from": "12-20", "id": 1,
            "period": "every year from 12-20 to 01-03", "time_zone": "Europe/Berlin", "to": "01-03",
        },
        {
            "added_at": "2029-11-15T22:13:20Z", "added_by": "ama@example.com", "app": "shop",
            "because": "launch", "from": "2030-01-08 00:00", "id": 12,
            "period": "from 2030-01-08 00:00 to 2030-01-09 00:00", "time_zone": "UTC", "to": "2030-01-09 00:00",
        },
    ]);
    let freezes: Vec<_> = serde_json::from_value(freezes).unwrap();
    assert_snapshot!(super::freezes::render_freezes(&freezes));
}

#[test]
fn the_fleet_is_shown_with_the_reason_behind_each_outlook() {
    let entry = |outlook: &str, because: Option<&str>, planned: bool| {
        json!({
            "app": "shop", "because": because, "database": format!("{outlook}-db"), "method": planned.then_some("changeover"),
            "outlook": outlook, "plan": "standard-0", "reason": planned.then_some("security_release"),
            "release": "15.18-debian", "required_by": planned.then_some("2030-01-30 00:00:00 +0000"),
            "scheduled_for": planned.then_some("2030-01-15 17:30:00 +0000"),
        })
    };
    let fleet = json!([
        entry(
            "blocked",
            Some("it waits for another maintenance to end"),
            true
        ),
        entry("scheduled", None, true),
        entry("up_to_date", None, false),
    ]);
    let fleet: Vec<_> = serde_json::from_value(fleet).unwrap();
    assert_snapshot!(super::fleet::render_fleet(&fleet));
}

#[test]
fn notices_are_listed_with_what_became_of_each_delivery() {
    let sent = json!({
        "address": "dba@example.com", "next_try_at": null, "sent_at": "2030-01-08T17:30:02Z", "state": "sent",
        "tries": 1, "trouble": null,
    });
    let pending = json!({
        "address": "shop@example.com", "next_try_at": "2030-01-08T17:34:00Z", "sent_at": null, "state": "pending",
        "tries": 2, "trouble": "451 try again later",
    });
    let notice = |deliveries: serde_json::Value, subject: Option<&str>| {
        json!({
            "created_at": "2030-01-08T17:30:00Z", "database": "orders", "deliveries": deliveries, "id": 7,
            "kind": "maintenance_again", "subject": subject, "text": null,
        })
    };
    let subject = Some("Maintenance of orders on Tue 15 Jan 2030, 17:30 UTC");
    let notices = json!([
        notice(json!([sent, pending]), subject),
        notice(json!([]), None)
    ]);
    let notices: Vec<_> = serde_json::from_value(notices).unwrap();
    assert_snapshot!(super::notices::render_notices(&notices));
}
