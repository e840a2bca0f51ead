//! What a call makes of faults: sent again with the same id, or a sentence that says what happened.

use upkeep_api::client::{Client, Error, Provisioned};
use uuid::Uuid;

use crate::bad_server::BadServer;

const NO_APPS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";
const EMPTY_404: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const GATEWAY: &str =
    "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\nconnection: close\r\n\r\noops";
const NOT_OURS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";

fn request_id(head: &str) -> &str {
    head.lines()
        .find_map(|line| line.strip_prefix("request-id: "))
        .unwrap()
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_sent_again_with_the_same_id() {
    // For longer than a server that was never there is given.
    let script = [&[None; 5][..], &[Some(NO_APPS)]].concat();
    let server = BadServer::start(script).await;
    let client = Client::new(&server.url, "token").unwrap();
    assert_eq!(client.apps().await.unwrap(), []);
    let asked = server.asked().await;
    assert_eq!(asked.len(), 6);
    assert!(
        asked
            .iter()
            .all(|head| request_id(head) == request_id(&asked[0]))
    );
    assert!(
        asked[0].contains("authorization: bearer token"),
        "{}",
        asked[0]
    );
}

#[tokio::test]
async fn two_calls_have_two_ids() {
    let server = BadServer::start(vec![Some(NO_APPS), Some(NO_APPS)]).await;
    let client = Client::new(&server.url, "token").unwrap();
    client.apps().await.unwrap();
    client.apps().await.unwrap();
    let asked = server.asked().await;
    assert_ne!(request_id(&asked[0]), request_id(&asked[1]));
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let client = Client::new("http://127.0.0.1:1", "secret-token").unwrap();
    let error = client.apps().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer from the server at `http://127.0.0.1:1`"
    );
    assert!(!format!("{error:?}").contains("secret-token"));
}

#[tokio::test]
async fn an_empty_404_means_not_yet() {
    let server = BadServer::start(vec![Some(EMPTY_404)]).await;
    let client = Client::new(&server.url, "token").unwrap();
    assert_eq!(
        client.database(Uuid::nil()).await.unwrap(),
        Provisioned::NotYet
    );
}

#[tokio::test]
async fn an_error_of_somebody_in_between_is_not_taken_for_the_servers() {
    let server = BadServer::start(vec![Some(GATEWAY)]).await;
    let client = Client::new(&server.url, "token").unwrap();
    let error = client.apps().await.unwrap_err();
    assert!(
        matches!(error, Error::Unexplained { status: 502, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_of_the_contract_is_said_so() {
    let server = BadServer::start(vec![Some(NOT_OURS)]).await;
    let client = Client::new(&server.url, "token").unwrap();
    assert_eq!(
        client.apps().await.unwrap_err().to_string(),
        "understand the answer to `GET /apps`"
    );
}

#[test]
fn an_address_that_would_need_what_we_do_not_have_is_refused() {
    for url in [
        "127.0.0.1:5055",
        "https://example.com",
        "",
        "unix",
        "ftp://x",
    ] {
        assert!(
            matches!(Client::new(url, "token"), Err(Error::BadUrl { .. })),
            "{url}"
        );
    }
    assert!(matches!(
        Client::new("http://x", "to\nken"),
        Err(Error::BadToken)
    ));
}
