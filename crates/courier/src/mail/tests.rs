//! Messages as people get them: golden, so that a change is looked at.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use upkeep_domain::notice::{Appointment, Errand, Fact, Letter, Obstacle, Recipient};

use super::*;

fn letter() -> Letter {
    let begins: Timestamp = "2026-12-01T22:30:00Z".parse().unwrap();
    Letter {
        subject: "Maintenance of postgresql-flat-1 on Tue 1 Dec 2026, 23:30 CET".to_owned(),
        says: vec![
            "Your database postgresql-flat-1 (DATABASE on shop) has to be maintained: PostgreSQL 15.20 \
             is in the store."
                .to_owned(),
            "It is scheduled for Tuesday. Note: <b>\"Größe\" & 'more'</b>.".to_owned(),
        ],
        obstacles: vec![Obstacle {
            seen: "a transaction of role `<b>` has been open for 90 s".to_owned(),
            todo: Some("the switch waits for it up to ten minutes, then is given up".to_owned()),
        }],
        facts: vec![
            Fact {
                name: "Database".to_owned(),
                value: "postgresql-flat-1 (DATABASE on shop)".to_owned(),
            },
            Fact {
                name: "Release".to_owned(),
                value: "15.18 -> 15.20".to_owned(),
            },
        ],
        errands: vec![Errand {
            purpose: "To move it by a week".to_owned(),
            command: "upkeep data:maintenances:schedule postgresql-flat-1 --weeks 1".to_owned(),
        }],
        appointment: Some(Appointment {
            uid: "00000000-0000-0000-0000-000000000001".to_owned(),
            revision: 7,
            begins,
            ends: begins + SignedDuration::from_hours(4),
            summary: "Maintenance of postgresql-flat-1; \"flat, for Größe\", and a name that is so long \
                      that it is folded"
                .to_owned(),
            cancelled: false,
        }),
    }
}

fn delivery() -> Delivery {
    Delivery {
        notice: 7,
        told_at: "2026-11-23T09:00:00Z".parse().unwrap(),
        action: "maintenance_scheduled".to_owned(),
        database: "postgresql-flat-1".to_owned(),
        letter: letter(),
        about: json!({}),
        to: Recipient::Mail {
            address: "ada@example.org".to_owned(),
        },
    }
}

fn formatted(delivery: &Delivery) -> String {
    let from = "Upkeep <upkeep@example.com>".parse().unwrap();
    let to = delivery.to.address().parse().unwrap();
    String::from_utf8(message::of(delivery, &from, to).formatted()).unwrap()
}

/// Lines as snapshots keep them.
fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[test]
fn a_message_has_text_html_and_an_appointment_and_is_the_same_at_each_try() {
    let message = formatted(&delivery());
    insta::assert_snapshot!(unix(&message));
    assert_eq!(message, formatted(&delivery()));
}

#[test]
fn each_recipient_has_a_message_of_their_own() {
    let id = |delivery: &Delivery| {
        let message = formatted(delivery);
        let line = message.lines().find(|line| line.starts_with("Message-ID:"));
        line.unwrap().to_owned()
    };
    let mut other = delivery();
    other.to = Recipient::Mail {
        address: "bob@example.org".to_owned(),
    };
    assert_ne!(id(&delivery()), id(&other));
}

#[test]
fn a_letter_without_an_appointment_has_nothing_beside_it() {
    let mut delivery = delivery();
    delivery.letter.appointment = None;
    let message = formatted(&delivery);
    assert!(message.contains("Content-Type: multipart/alternative;"));
    assert!(!message.contains("multipart/mixed") && !message.contains("calendar"));
}

#[test]
fn what_people_typed_is_no_html() {
    let page = html::page(&letter());
    insta::assert_snapshot!(page);
    assert!(!page.contains("<b>"));
    for word in ["<img", "<link", "<script", "src=", "href=", "http"] {
        assert!(!page.contains(word), "nothing is fetched: {word}");
    }
}

#[test]
fn an_appointment_is_published_and_cancelled_under_one_name() {
    let from = "upkeep@example.com".parse().unwrap();
    let mut appointment = letter().appointment.unwrap();
    let told_at = delivery().told_at;
    let published = calendar::text(&appointment, told_at, &from);
    insta::assert_snapshot!(unix(&published));
    assert!(
        published.lines().all(|line| line.len() <= 75),
        "lines are folded"
    );
    appointment.cancelled = true;
    appointment.revision = 9;
    let cancelled = calendar::text(&appointment, told_at, &from);
    for line in ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:9"] {
        assert!(cancelled.contains(&format!("{line}\r\n")), "{line}");
    }
    let uid = "UID:00000000-0000-0000-0000-000000000001\r\n";
    assert!(published.contains(uid) && cancelled.contains(uid));
}
