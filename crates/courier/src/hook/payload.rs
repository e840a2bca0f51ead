//! The body of a call: for programs in the words of Heroku's webhooks, and with `text`, which chat
//! servers show (Slack, Mattermost, Rocket.Chat).
//!
//! Holds nothing that differs from one try to the next.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use upkeep_domain::notice::Delivery;

#[derive(Serialize)]
struct Payload<'a> {
    /// The same at every try.
    id: String,
    action: &'a str,
    actor: &'a str,
    created_at: Timestamp,
    resource: &'a str,
    data: &'a Value,
    database: &'a str,
    subject: &'a str,
    text: String,
    /// Of this form.
    version: &'a str,
}

pub(super) fn body(delivery: &Delivery) -> Vec<u8> {
    let Delivery { letter, about, .. } = delivery;
    let payload = Payload {
        id: delivery.notice.to_string(),
        action: &delivery.action,
        actor: "upkeep",
        created_at: delivery.told_at,
        resource: "maintenance",
        data: about,
        database: &delivery.database,
        subject: &letter.subject,
        text: format!("{}\n\n{}", letter.subject, letter.plain()),
        version: "1",
    };
    serde_json::to_vec(&payload).expect("it holds only what JSON can say")
}
