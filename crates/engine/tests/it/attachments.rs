//! Requests about the names under which apps have databases: none is lost, none is taken unasked.

use upkeep_domain::id::AttachmentId;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_engine::request::{Attach, CreateDatabase};
use upkeep_store::{App, Database};

use crate::case::run;
use crate::requests::Desk;
use crate::stage::{Ended, FIRST, PATIENCE, create_database};

impl Desk {
    /// Another database of the same app, which is there.
    async fn second_database(&self) -> Database {
        let wanted = CreateDatabase {
            release: Some(FIRST.to_owned()),
            ..self.new_database().await
        };
        let running = run(&self.engine);
        let made = self.engine.create_database(wanted).await;
        let made = made.expect("a database is begun");
        let ended = self.stage.end(made.id, PATIENCE).await;
        assert_eq!(ended, Ended::Succeeded);
        running.abort();
        let _ = running.await;
        self.now(&made).await
    }

    async fn now(&self, database: &Database) -> Database {
        let now = self.stage.database(database.id).await;
        now.expect("it is there")
    }

    async fn app(&self) -> App {
        let app = self.stage.store.app(&self.database.app_name).await;
        app.expect("the store answers").expect("it has databases")
    }

    async fn wish(&self, database: &Database, name: Option<&str>) -> Attach {
        Attach {
            app: self.app().await,
            database: database.clone(),
            name: name.map(|name| name.parse().expect("it is a name")),
            confirm: None,
            request_id: None,
        }
    }

    async fn attach(
        &self,
        database: &Database,
        name: Option<&str>,
    ) -> Result<AttachmentId, Refusal> {
        self.engine.attach(self.wish(database, name).await).await
    }

    async fn promote(&self, database: &Database) -> Result<AttachmentId, Refusal> {
        let app = self.app().await;
        let wish = Attach {
            confirm: Some(app.name),
            ..self.wish(database, Some("DATABASE")).await
        };
        self.engine.attach(wish).await
    }

    async fn detach(&self, database: &Database, name: &str) -> Result<(), Refusal> {
        let database = self.now(database).await;
        let named = database
            .attachments
            .iter()
            .find(|a| a.name.as_str() == name);
        let named = named.expect("it has the name");
        self.engine.detach(&database, named).await
    }

    async fn names(&self, database: &Database) -> Vec<String> {
        let names = self.now(database).await.attachments.into_iter();
        names.map(|one| one.name.into()).collect()
    }

    /// The latest, newest first.
    async fn told(&self, count: usize) -> Vec<String> {
        let versions = self.stage.store.app_versions(self.database.app_id).await;
        let versions = versions.expect("the store answers");
        let told = versions.into_iter().take(count);
        told.map(|one| one.description).collect()
    }
}

#[tokio::test]
async fn a_database_takes_the_place_of_another_which_keeps_a_name() {
    let desk = Desk::open(&[FIRST]).await;
    let (old, new) = (&desk.database, &desk.second_database().await);
    assert_eq!(desk.names(new).await, ["HEROKU_POSTGRESQL_AMBER"]);
    desk.promote(new).await.unwrap();
    assert_eq!(
        desk.names(new).await,
        ["DATABASE", "HEROKU_POSTGRESQL_AMBER"]
    );
    assert_eq!(desk.names(old).await, ["HEROKU_POSTGRESQL_AQUA"]);
    assert_eq!(
        desk.told(3).await,
        [
            format!("Attach DATABASE (@ref:{})", new.name),
            format!("Detach DATABASE (@ref:{})", old.name),
            format!("Attach HEROKU_POSTGRESQL_AQUA (@ref:{})", old.name),
        ]
    );

    // And back: both have another name by now.
    desk.promote(old).await.unwrap();
    assert_eq!(desk.names(new).await, ["HEROKU_POSTGRESQL_AMBER"]);
    assert_eq!(
        desk.names(old).await,
        ["DATABASE", "HEROKU_POSTGRESQL_AQUA"]
    );
}

#[tokio::test]
async fn a_name_that_is_taken_is_given_up_by_nobody_who_was_not_asked() {
    let desk = Desk::open(&[FIRST]).await;
    let new = desk.second_database().await;
    for confirm in [None, Some(new.name.clone()), Some("other".to_owned())] {
        let wish = Attach {
            confirm,
            ..desk.wish(&new, Some("DATABASE")).await
        };
        let asked = desk.engine.attach(wish);
        desk.refuses(RefusalKind::Unconfirmed, asked).await;
    }
}

#[tokio::test]
async fn what_is_so_already_is_left_alone() {
    let desk = Desk::open(&[FIRST]).await;
    let before = desk.stage.rows().await;
    let same = desk.attach(&desk.database, Some("DATABASE")).await.unwrap();
    assert_eq!(same, desk.database.attachments[0].id);
    assert_eq!(desk.stage.rows().await, before);
}

#[tokio::test]
async fn who_says_no_name_gets_a_colour_until_there_is_none_left() {
    let desk = Desk::open(&[FIRST]).await;
    let mut colours = 0;
    let refusal = loop {
        match desk.attach(&desk.database, None).await {
            Ok(_) => colours += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal.kind, RefusalKind::Invalid);
    let names = desk.names(&desk.database).await;
    assert_eq!((colours, names.len()), (16, 17));
    desk.refuses(RefusalKind::Invalid, desk.attach(&desk.database, None))
        .await;
    desk.attach(&desk.database, Some("REPORTS")).await.unwrap();
}

#[tokio::test]
async fn the_last_name_is_not_taken_away() {
    let desk = Desk::open(&[FIRST]).await;
    let database = &desk.database;
    desk.refuses(RefusalKind::Conflict, desk.detach(database, "DATABASE"))
        .await;
    desk.attach(database, Some("REPORTS")).await.unwrap();
    desk.detach(database, "DATABASE").await.unwrap();
    desk.refuses(RefusalKind::Conflict, desk.detach(database, "REPORTS"))
        .await;
}

#[tokio::test]
async fn another_app_has_it_too_and_does_without_it_again() {
    let desk = Desk::open(&[FIRST]).await;
    let other = desk.engine.create_app(None).await.unwrap();
    let wish = Attach {
        app: other.clone(),
        ..desk.wish(&desk.database, Some("DATABASE")).await
    };
    desk.engine.attach(wish).await.unwrap();
    let there = desk.stage.store.attached_databases(other.id).await.unwrap();
    assert_eq!(there.len(), 1);
    // It is no name in the app that owns it.
    let owned = desk.now(&desk.database).await;
    let asked = desk.engine.detach(&owned, &owned.attachments[0]);
    desk.refuses(RefusalKind::Conflict, asked).await;
    let foreign = &owned.attachments[1];
    desk.engine.detach(&owned, foreign).await.unwrap();
    assert_eq!(desk.names(&desk.database).await, ["DATABASE"]);
}

#[tokio::test]
async fn what_is_not_there_is_attached_nowhere() {
    let desk = Desk::open(&[FIRST]).await;
    let made = create_database(&desk.engine).await;
    desk.refuses(RefusalKind::NotReady, desk.promote(&made))
        .await;
    let second = desk.second_database().await;
    let destroyed = desk.engine.destroy_database(&second).await;
    destroyed.unwrap();
    assert!(desk.names(&second).await.is_empty());
    let second = desk.now(&second).await;
    desk.refuses(RefusalKind::Conflict, desk.promote(&second))
        .await;
}

#[tokio::test]
async fn an_attachment_that_is_asked_for_twice_is_made_once() {
    let desk = Desk::open(&[FIRST]).await;
    let wish = Attach {
        request_id: Some("r1".to_owned()),
        ..desk.wish(&desk.database, None).await
    };
    let (one, other) = tokio::join!(
        desk.engine.attach(wish.clone()),
        desk.engine.attach(wish.clone())
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other, "also when both come together");
    assert_eq!(desk.engine.attach(wish).await.unwrap(), one);
    assert_eq!(desk.names(&desk.database).await.len(), 2);
}
