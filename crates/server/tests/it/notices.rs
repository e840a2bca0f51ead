//! What people are told, and who is told: the part of the API about them.

use serde_json::json;
use upkeep_api::body::AddRecipient;
use upkeep_api::client::NoticesWanted;

use crate::program::Program;
use crate::world::UNREACHED;

#[tokio::test]
async fn recipients_are_added_tried_listed_and_removed() {
    let (program, addon) = Program::with_a_database().await;
    let wish = json!({"address": "dba@example.com"});
    let added = program.post("/upkeep/v1/recipients", &wish).await;
    assert_eq!(added.status, 201);
    assert_eq!(
        added.text,
        r#"{"added_at":"2023-11-14T22:13:20Z","added_by":"ama@example.com","address":"dba@example.com","app":null,"id":1,"kind":"mail"}"#
    );
    let hook = AddRecipient {
        address: "https://chat.example.com/hooks/1".to_owned(),
        app: Some(addon.app.name.clone()),
    };
    let hook = program.client.add_recipient(&hook).await.unwrap();
    assert_eq!(hook.kind, "webhook");
    assert_eq!(hook.app, Some(addon.app.name));
    assert_eq!(hook.secret.as_deref(), Some("5ec7e7"));
    program.client.try_recipient(hook.id).await.unwrap();

    let listed = program.client.recipients().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|recipient| recipient.secret.is_none()));
    program.client.remove_recipient(1).await.unwrap();
    let again = program.client.remove_recipient(1).await.unwrap_err();
    assert!(again.to_string().contains("no recipient 1"), "{again}");
}

#[tokio::test]
async fn one_that_is_not_reached_is_told_to_whoever_tried() {
    let (program, _) = Program::with_a_database().await;
    let wish = AddRecipient {
        address: UNREACHED.to_owned(),
        app: None,
    };
    let added = program.client.add_recipient(&wish).await.unwrap();
    let tried = program.client.try_recipient(added.id).await.unwrap_err();
    assert!(tried.to_string().contains("was not reached"), "{tried}");
}

#[tokio::test]
async fn notices_are_listed_without_their_text_and_shown_with_it() {
    let (program, _) = Program::with_a_database().await;
    let wanted = NoticesWanted::default();
    let listed = program.client.notices(&wanted).await.unwrap();
    let [notice] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!(notice.subject.as_deref(), Some("Upkeep reaches you"));
    assert_eq!(notice.text, None);
    assert_eq!(notice.deliveries[0].state, "pending");
    let shown = program.client.notice(notice.id).await.unwrap();
    assert!(shown.text.unwrap().contains("wanted to know"));
    let sent = NoticesWanted {
        state: Some("sent".to_owned()),
        ..NoticesWanted::default()
    };
    assert_eq!(program.client.notices(&sent).await.unwrap(), []);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let (program, _) = Program::with_a_database().await;
    for (address, app, status, what) in [
        ("nobody", None, 422, "no address"),
        (
            "a@example.com\r\nBcc: b@example.com",
            None,
            422,
            "no address",
        ),
        ("ftp://example.com/x", None, 422, "no address"),
        (
            "a@example.com",
            Some("nobody"),
            404,
            "Couldn't find that app",
        ),
    ] {
        let wish = json!({"address": address, "app": app});
        let refused = program.post("/upkeep/v1/recipients", &wish).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(what), "{}", refused.text);
    }
    for (query, what) in [
        ("state=lost", "states: pending, sent, failed"),
        ("limit=0", "between 1 and 1000"),
        ("app=nobody", "Couldn't find that app"),
    ] {
        let refused = program.get(&format!("/upkeep/v1/notices?{query}")).await;
        assert!(refused.text.contains(what), "{}", refused.text);
    }
    assert_eq!(program.client.recipients().await.unwrap(), []);
}
