//! Calendars: who has the token reads what the app has; and freezes that come out of one, all of them or none.

use upkeep_domain::id::AppId;
use upkeep_domain::maintenance::Freeze;
use upkeep_domain::maintenance::freeze::Scope;

use crate::{Fixture, id};

const TOKEN: [u8; 32] = [1; 32];
const NEW_TOKEN: [u8; 32] = [2; 32];

#[tokio::test]
async fn who_has_the_token_reads_what_is_planned_for_what_the_app_has() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (own, other) = (fixture.idle().await, fixture.idle().await);
    let provisioned = "UPDATE upkeep.databases SET state = 'provisioned'";
    fixture
        .sql()
        .await
        .batch_execute(provisioned)
        .await
        .unwrap();
    let now = store.now().await.unwrap();
    let planned = fixture.planned_for(own.id, now).await;
    fixture.planned_for(other.id, now).await;

    let app = Some(own.app_id);
    let added = store.add_calendar(app, &TOKEN, "ama", "r1").await.unwrap();
    let found = store.calendar_by_token(&TOKEN).await.unwrap();
    assert_eq!(found, Some(added.clone()));
    assert_eq!(added.app, app);
    let entries = store.calendar_entries(app).await.unwrap();
    let entries: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    assert_eq!(entries, [planned]);
    assert_eq!(store.calendar_entries(None).await.unwrap().len(), 2);

    // Asked again it is the same one, and only the last token is known to anybody.
    let again = store.add_calendar(app, &NEW_TOKEN, "ama", "r1").await;
    assert_eq!(again.unwrap().id, added.id);
    assert_eq!(store.calendar_by_token(&TOKEN).await.unwrap(), None);
    assert_eq!(store.calendars().await.unwrap().len(), 1);
    store.remove_calendar(added.id).await.unwrap();
    assert_eq!(store.calendar_by_token(&NEW_TOKEN).await.unwrap(), None);
    assert_eq!(store.remove_calendar(added.id).await.unwrap(), None);
}

const MAX: usize = 100;

fn freeze(scope: Scope, because: &str) -> Freeze {
    Freeze::typed(scope, ("12-20", "01-03"), None, because).expect("it is a freeze")
}

#[tokio::test]
async fn freezes_are_added_together_and_none_twice() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let app = Scope::App(fixture.idle().await.app_id);
    let freezes = [
        freeze(Scope::Fleet, "closing"),
        freeze(app, "closing"),
        freeze(Scope::Fleet, "closing"),
    ];
    // A request that was sent again while the first one is still at it.
    let [first, second] = [(); 2].map(|()| store.add_freezes(&freezes, "ama", MAX));
    let (first, second) = tokio::join!(first, second);
    let added = [first.unwrap().unwrap(), second.unwrap().unwrap()].concat();
    let added: Vec<_> = added.iter().map(|kept| &kept.freeze).collect();
    assert_eq!(added, [&freezes[0], &freezes[1]]);
    let again = store.add_freezes(&freezes, "ama", 2).await.unwrap();
    assert_eq!(again, Some(vec![]), "no more than there are already");
    let one_more = [freeze(app, "closing"), freeze(app, "audit")];
    let too_many = store.add_freezes(&one_more, "ama", 2).await.unwrap();
    assert_eq!(too_many, None);

    let nobody = Scope::App(AppId(id()));
    let with_a_bad_one = [freeze(Scope::Fleet, "sale"), freeze(nobody, "sale")];
    let refused = store.add_freezes(&with_a_bad_one, "ama", MAX).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(fixture.count("freezes").await, 2);
}
