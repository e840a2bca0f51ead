//! Names of databases in apps: several each, none lost, and every change a version of the app.

use upkeep_domain::id::{AppId, AttachmentId};
use upkeep_domain::procedure::End;
use upkeep_store::{Change, Error, Instead, NewAttachment, NewDatabase, Store, Transition};

use crate::{Fixture, attachment, ending, going_on, id, open, workflow};

impl Fixture {
    async fn names(&self, database: &NewDatabase) -> Vec<String> {
        let database = self.store.database(database.id).await;
        let database = database.expect("the store answers").expect("it is there");
        let names = database.attachments.into_iter();
        names
            .map(|one| format!("{}::{}", one.app_name, one.name))
            .collect()
    }

    /// Oldest first, without the one that every app begins with.
    async fn told(&self, app: AppId) -> Vec<String> {
        let versions = self.store.app_versions(app).await;
        let mut versions = versions.expect("the store answers");
        versions.reverse();
        let numbers: Vec<_> = versions.iter().map(|one| one.version).collect();
        assert_eq!(numbers, (1..=versions.len() as u32).collect::<Vec<_>>());
        assert_eq!(versions.remove(0).description, "Initial release");
        versions.into_iter().map(|one| one.description).collect()
    }

    async fn app(&self, name: &str) -> AppId {
        let name = name.parse().expect("it is a name");
        let app = self.store.insert_app(AppId(id()), &name).await;
        app.expect("the app is made").id
    }
}

async fn attached(store: &Store, database: &NewDatabase, name: &str) -> NewAttachment {
    let new = attachment(database.app_id, database.id, name);
    let attached = store.attach(&new, None).await;
    assert!(attached.expect("the store answers"));
    new
}

#[tokio::test]
async fn a_database_has_several_names_and_each_is_a_version_of_its_app() {
    let fixture = Fixture::new().await;
    let database = fixture.idle().await;
    let app = format!("app-{}", database.app_id.0.as_u128());
    let first = database.attachment.name.to_string();
    attached(&fixture.store, &database, "DATABASE").await;
    let elsewhere = fixture.app("elsewhere").await;
    let foreign = attachment(elsewhere, database.id, "A_NAME");
    assert!(fixture.store.attach(&foreign, None).await.unwrap());
    assert_eq!(
        fixture.names(&database).await,
        [
            format!("{app}::DATABASE"),
            format!("{app}::{first}"),
            "elsewhere::A_NAME".to_owned()
        ],
        "DATABASE first, other apps last"
    );
    let name = database.name.as_str();
    assert_eq!(
        fixture.told(database.app_id).await,
        [
            format!("Attach {first} (@ref:{name})"),
            format!("Attach DATABASE (@ref:{name})")
        ]
    );
    let there = fixture.store.attached_databases(elsewhere).await.unwrap();
    assert_eq!(there.len(), 1);
    assert!(
        fixture
            .store
            .app_databases(elsewhere)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_name_moves_in_one_piece_and_what_had_it_keeps_another() {
    let fixture = Fixture::new().await;
    let (old, new) = (fixture.idle().await, fixture.idle().await);
    let app = fixture.app("shop").await;
    let first = attachment(app, old.id, "DATABASE");
    assert!(fixture.store.attach(&first, None).await.unwrap());
    let instead = Instead {
        attachment: first.id,
        alias: Some(attachment(app, old.id, "OLD")),
    };
    let moved = attachment(app, new.id, "DATABASE");
    let done = fixture.store.attach(&moved, Some(&instead)).await;
    assert!(done.unwrap());
    let (old, new) = (old.name, new.name);
    assert_eq!(
        fixture.told(app).await,
        [
            format!("Attach DATABASE (@ref:{old})"),
            format!("Attach OLD (@ref:{old})"),
            format!("Detach DATABASE (@ref:{old})"),
            format!("Attach DATABASE (@ref:{new})")
        ]
    );
}

#[tokio::test]
async fn who_is_overtaken_changes_nothing() {
    let fixture = Fixture::new().await;
    let (one, other) = (fixture.idle().await, fixture.idle().await);
    let before = fixture.told(one.app_id).await;
    let wish = attachment(one.app_id, other.id, "NEW");
    let gone = Instead {
        attachment: AttachmentId(id()),
        alias: Some(attachment(one.app_id, one.id, "ALIAS")),
    };
    assert!(!fixture.store.attach(&wish, Some(&gone)).await.unwrap());
    let last = Instead {
        attachment: one.attachment.id,
        alias: None,
    };
    assert!(!fixture.store.attach(&wish, Some(&last)).await.unwrap());
    let taken = attachment(one.app_id, other.id, one.attachment.name.as_str());
    match fixture.store.attach(&taken, None).await {
        Err(Error::Exists { constraint }) => assert_eq!(constraint, "attachments_name"),
        other => panic!("expected to be told that it exists: {other:?}"),
    }
    assert_eq!(fixture.told(one.app_id).await, before);
    assert_eq!(fixture.names(&one).await.len(), 1);
}

#[tokio::test]
async fn the_last_name_in_the_owning_app_stays() {
    let fixture = Fixture::new().await;
    let database = fixture.idle().await;
    let elsewhere = fixture.app("elsewhere").await;
    let foreign = attachment(elsewhere, database.id, "A_NAME");
    assert!(fixture.store.attach(&foreign, None).await.unwrap());
    let store = &fixture.store;
    assert!(!store.detach(database.attachment.id).await.unwrap());
    assert!(store.detach(foreign.id).await.unwrap());
    assert!(!store.detach(foreign.id).await.unwrap(), "it is gone");
    let second = attached(store, &database, "SECOND").await;
    assert!(store.detach(database.attachment.id).await.unwrap());
    assert!(!store.detach(second.id).await.unwrap());
    assert_eq!(fixture.told(elsewhere).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_take_both_names_at_once_leave_one() {
    let fixture = Fixture::new().await;
    let other = open(&fixture.server).await;
    for _ in 0..20 {
        let database = fixture.idle().await;
        let second = attached(&fixture.store, &database, "SECOND").await;
        let (one, two) = tokio::join!(
            fixture.store.detach(database.attachment.id),
            other.detach(second.id)
        );
        assert_ne!(one.unwrap(), two.unwrap(), "one of them comes too late");
        assert_eq!(fixture.names(&database).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_of_two_servers_are_counted_in_one_row() {
    let fixture = Fixture::new().await;
    let other = open(&fixture.server).await;
    let database = fixture.idle().await;
    for nth in 0..20 {
        let (a, b) = (format!("A_{nth}"), format!("B_{nth}"));
        tokio::join!(
            attached(&fixture.store, &database, &a),
            attached(&other, &database, &b)
        );
    }
    assert_eq!(fixture.told(database.app_id).await.len(), 41);
}

#[tokio::test]
async fn what_is_being_destroyed_has_no_name_in_any_app_and_gets_none() {
    let fixture = Fixture::new().await;
    let database = fixture.idle().await;
    let elsewhere = fixture.app("elsewhere").await;
    let foreign = attachment(elsewhere, database.id, "A_NAME");
    assert!(fixture.store.attach(&foreign, None).await.unwrap());
    let begun = fixture.store.begin_destroy(&workflow(&database)).await;
    begun.unwrap();
    assert!(fixture.names(&database).await.is_empty());
    let detached = format!("Detach A_NAME (@ref:{})", database.name);
    assert_eq!(fixture.told(elsewhere).await.pop(), Some(detached));
    assert!(!fixture.store.attach(&foreign, None).await.unwrap());
    let next = fixture.idle().await;
    let name = database.attachment.name.as_str();
    let again = attachment(database.app_id, next.id, name);
    assert!(fixture.store.attach(&again, None).await.unwrap());
}

#[tokio::test]
async fn the_app_is_told_once_when_its_database_is_there() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let claim = fixture.claim("a").await;
    let provisioned = Transition {
        changes: vec![Change::Provisioned],
        ..going_on()
    };
    // As one does whose answer was lost.
    for _ in 0..2 {
        fixture.store.commit(&claim, &provisioned).await.unwrap();
    }
    let told = fixture.told(database.app_id).await;
    let (name, var) = (&database.name, database.attachment.name.config_var());
    assert_eq!(
        told[1..],
        [format!(
            "@ref:{name} completed provisioning, setting {var}."
        )]
    );
}

#[tokio::test]
async fn what_could_not_be_made_leaves_its_name_to_others() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let claim = fixture.claim("a").await;
    let failed = Transition {
        changes: vec![Change::ProvisionFailed],
        ..ending(End::RolledBack)
    };
    fixture.store.commit(&claim, &failed).await.unwrap();
    assert!(fixture.names(&database).await.is_empty());
    assert_eq!(fixture.told(database.app_id).await.len(), 2);
}

#[tokio::test]
async fn a_repeated_request_for_an_attachment_is_told_apart_from_a_new_one() {
    let fixture = Fixture::new().await;
    let database = fixture.idle().await;
    let store = &fixture.store;
    let wanted = NewAttachment {
        request_id: Some("r3".to_owned()),
        ..attachment(database.app_id, database.id, "ONE")
    };
    assert_eq!(store.attachment_by_request("r3").await.unwrap(), None);
    assert!(store.attach(&wanted, None).await.unwrap());
    let found = store.attachment_by_request("r3").await.unwrap();
    assert_eq!(found, Some(wanted.id));
    let found = store.database_attached_by(wanted.id).await.unwrap();
    assert_eq!(found.unwrap().id, database.id);
    let again = NewAttachment {
        id: AttachmentId(id()),
        name: "TWO".parse().unwrap(),
        ..wanted
    };
    match store.attach(&again, None).await {
        Err(Error::Exists { constraint }) => assert_eq!(constraint, "attachments_request_id_key"),
        other => panic!("expected to be told that it exists: {other:?}"),
    }
}
