//! Webhooks, called and not called.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use upkeep_courier::Courier;
use upkeep_domain::notice::{Delivery, Recipient};
use upkeep_domain::ports::Courier as _;

use crate::listener::{Call, Listener};
use crate::world::{courier, delivered_to_silence, delivery, failed, refused};

const SECRET: &str = "shh";
const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn to(url: &str) -> Delivery {
    delivery(Recipient::Hook {
        url: url.to_owned(),
        secret: SECRET.to_owned(),
    })
}

fn at(listener: &Listener) -> Delivery {
    to(&format!("http://{}/hooks/1", listener.address))
}

/// One that may call this machine.
fn may_come_here() -> Courier {
    courier("[hooks]\nallow = [\"127.0.0.1\"]")
}

fn assert_signed(call: &Call) {
    let signature = call.header("Heroku-Webhook-Hmac-SHA256").unwrap();
    let signature = BASE64_STANDARD.decode(signature).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&call.body);
    mac.verify_slice(&signature).unwrap();
}

#[tokio::test]
async fn a_call_is_signed_and_each_try_is_the_same() {
    let mut listener = Listener::start(Some(TAKEN)).await;
    let courier = may_come_here();
    courier.deliver(&at(&listener)).await.unwrap();
    courier.deliver(&at(&listener)).await.unwrap();
    let call = listener.call().await;
    assert!(call.head.starts_with("POST /hooks/1 HTTP/1.1"));
    assert_eq!(call.header("Content-Type"), Some("application/json"));
    assert!(call.header("User-Agent").unwrap().starts_with("upkeep/"));
    assert_signed(&call);
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(
        body,
        json!({
            "id": "7",
            "action": "maintenance_scheduled",
            "actor": "upkeep",
            "created_at": "2026-11-23T09:00:00Z",
            "resource": "maintenance",
            "data": { "method": "changeover" },
            "database": "postgresql-flat-1",
            "subject": "Maintenance of postgresql-flat-1",
            "text": "Maintenance of postgresql-flat-1\n\nIt is scheduled for Tuesday.\n\n",
            "version": "1",
        })
    );
    assert_eq!(listener.call().await, call);
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let mut listener = Listener::start(Some(
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    ))
    .await;
    let sentence = failed(may_come_here().deliver(&at(&listener)).await);
    assert_eq!(
        sentence,
        "the webhook answers 302 Found and redirects to /elsewhere, which is not followed: give the \
         address that it leads to"
    );
    listener.call().await;
    assert!(listener.was_left_alone());
}

#[tokio::test]
async fn only_what_is_gone_is_not_tried_again() {
    let gone = Listener::start(Some("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")).await;
    let sentence = refused(may_come_here().deliver(&at(&gone)).await);
    assert_eq!(sentence, "the webhook answers 410 Gone");
    for (answer, told) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 11\r\n\r\nno_service\n",
            "the webhook answers 404 Not Found: no_service",
        ),
        (
            "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
            "the webhook answers 429 Too Many Requests",
        ),
        (
            "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\nit\nbroke",
            "the webhook answers 500 Internal Server Error: it broke",
        ),
    ] {
        let listener = Listener::start(Some(answer)).await;
        let sentence = failed(may_come_here().deliver(&at(&listener)).await);
        assert_eq!(sentence, told);
    }
}

#[tokio::test]
async fn a_webhook_that_is_silent_is_not_waited_for() {
    let mut listener = Listener::start(None).await;
    let (courier, delivery) = (may_come_here(), at(&listener));
    let knows = async {
        listener.call().await;
    };
    let sentence = failed(delivered_to_silence(&courier, &delivery, knows).await);
    assert_eq!(sentence, "the webhook did not answer within 10 s");
}

#[tokio::test]
async fn this_machine_is_not_called_by_whatever_name() {
    let mut listener = Listener::start(Some(TAKEN)).await;
    let port = listener.address.port();
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"] {
        let delivery = to(&format!("http://{host}:{port}/"));
        let sentence = refused(Courier::without_settings().deliver(&delivery).await);
        assert!(
            sentence.contains("an address of this machine"),
            "{sentence}"
        );
        assert!(sentence.contains("[hooks] allow"), "{sentence}");
    }
    assert!(listener.was_left_alone());
    let by_name = to(&format!("http://localhost:{port}/"));
    may_come_here().deliver(&by_name).await.unwrap();
    assert_eq!(
        listener.call().await.header("host"),
        Some(format!("localhost:{port}").as_str())
    );
}

#[tokio::test]
async fn what_cannot_be_called_says_why() {
    let listener = Listener::start(Some(TAKEN)).await;
    let by_tls = to(&format!("https://{}/T0/secret", listener.address));
    let sentence = failed(may_come_here().deliver(&by_tls).await);
    assert!(sentence.contains("could not be called"), "{sentence}");
    assert!(!sentence.contains("secret"), "{sentence}");
    let nobody = at(&listener);
    drop(listener);
    let sentence = failed(may_come_here().deliver(&nobody).await);
    assert!(sentence.contains("could not be called"), "{sentence}");
    let sentence = refused(may_come_here().deliver(&to("ftp://example.com/")).await);
    assert!(sentence.contains("not by ftp"), "{sentence}");
}
