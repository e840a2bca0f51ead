//! Claims: one at a time, each above all before it, and nothing written by one that was lost.

use std::time::Duration;

use upkeep_domain::procedure::End;
use upkeep_store::{Change, Error, EventKind, NewEvent};
use upkeep_testkit::wait::wait_for;

use crate::{Fixture, LEASE, ending, going_on, outdated};

#[tokio::test]
async fn a_claimed_workflow_is_nobody_elses_until_its_lease_ends() {
    let fixture = Fixture::new().await;
    fixture.provisioning().await;
    let store = &fixture.store;
    let short = store
        .claim("a", Duration::from_millis(300))
        .await
        .unwrap()
        .unwrap();
    assert!(store.claim("b", LEASE).await.unwrap().is_none());
    let claim = async || store.claim("b", LEASE).await.unwrap();
    let taken = wait_for("the lease ends", Duration::from_secs(10), claim).await;
    assert_eq!(taken.workflow, short.workflow);
    assert!(taken.fence > short.fence);
}

#[tokio::test]
async fn a_renewed_claim_outlives_its_first_lease() {
    let fixture = Fixture::new().await;
    fixture.provisioning().await;
    let store = &fixture.store;
    let claim = store
        .claim("a", Duration::from_millis(1))
        .await
        .unwrap()
        .unwrap();
    store.renew_claim(&claim, LEASE).await.unwrap();
    assert!(store.claim("b", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn every_claim_and_every_sweep_draws_a_higher_fence() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    fixture.provisioning().await;
    let mut last = store.next_fence().await.unwrap();
    for _ in 0..5 {
        let claim = fixture.claim("a").await;
        assert!(claim.fence > last);
        last = store.next_fence().await.unwrap();
        assert!(last > claim.fence);
        store.take_back("a").await.unwrap();
    }
}

#[tokio::test]
async fn what_is_written_under_a_lost_claim_is_not_written() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let store = &fixture.store;
    let claim = fixture.claim("a").await;
    let lost = outdated(&claim);
    let before = fixture.count("events").await;

    let plain = store.commit(&lost, &going_on()).await;
    let with_changes = crate::Transition {
        changes: vec![Change::Provisioned],
        ..going_on()
    };
    let with_changes = store.commit(&lost, &with_changes).await;
    let renewed = store.renew_claim(&lost, LEASE).await;
    for refused in [plain, with_changes, renewed] {
        assert!(matches!(refused, Err(Error::ClaimLost)), "{refused:?}");
    }
    let note = NewEvent {
        step: "first",
        kind: EventKind::Waiting,
        sentence: "for nothing".to_owned(),
        detail: serde_json::json!({}),
    };
    store.note(&lost, &note).await.unwrap();

    assert_eq!(fixture.count("events").await, before);
    let now = store.database(database.id).await.unwrap().unwrap();
    assert_eq!(now.state, upkeep_store::DatabaseState::Provisioning);
    let unfinished = store.unfinished(database.id).await.unwrap().unwrap();
    assert_eq!(unfinished.step, "first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claimers_that_come_together_get_different_workflows() {
    let fixture = Fixture::new().await;
    for _ in 0..8 {
        fixture.provisioning().await;
    }
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(crate::open(&fixture.server).await);
    }
    let claiming: Vec<_> = stores
        .into_iter()
        .map(|store| tokio::spawn(async move { store.claim("any", LEASE).await }))
        .collect();
    let mut claimed = Vec::new();
    for one in claiming {
        let claim = one.await.unwrap().unwrap().expect("there is one for each");
        claimed.push(claim.workflow);
    }
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 8);
}

#[tokio::test]
async fn a_claim_passes_over_a_row_that_somebody_has_locked() {
    let fixture = Fixture::new().await;
    let (_, first) = fixture.provisioning().await;
    let (_, second) = fixture.provisioning().await;
    let sql = fixture.sql().await;
    sql.batch_execute("BEGIN").await.unwrap();
    sql.execute(
        "SELECT 1 FROM upkeep.workflows WHERE id = $1 FOR UPDATE",
        &[&first.id.0],
    )
    .await
    .unwrap();
    let claiming = fixture.store.claim("a", LEASE);
    let claim = tokio::time::timeout(Duration::from_secs(5), claiming).await;
    let claim = claim.expect("it does not wait").unwrap().unwrap();
    assert_eq!(claim.workflow, second.id);
    sql.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn an_owner_takes_back_its_own_unfinished_work_and_no_other() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    fixture.provisioning().await;
    let mine = fixture.claim("mine").await;
    fixture.provisioning().await;
    let others = fixture.claim("another").await;
    store.take_back("mine").await.unwrap();
    let again = fixture.claim("mine").await;
    assert_eq!(again.workflow, mine.workflow);
    assert!(
        store.claim("mine", LEASE).await.unwrap().is_none(),
        "{others:?}"
    );
}

#[tokio::test]
async fn what_has_ended_is_never_claimed_again() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    for end in [End::Succeeded, End::RolledBack, End::Stuck] {
        fixture.provisioning().await;
        let claim = fixture.claim("a").await;
        store.commit(&claim, &ending(end)).await.unwrap();
        store.take_back("a").await.unwrap();
        assert!(store.claim("a", LEASE).await.unwrap().is_none(), "{end}");
        let late = store.commit(&claim, &going_on()).await;
        assert!(matches!(late, Err(Error::ClaimLost)), "{end}: {late:?}");
    }
}

#[tokio::test]
async fn a_pause_is_kept_by_whoever_claims_next() {
    let fixture = Fixture::new().await;
    fixture.provisioning().await;
    let claim = fixture.claim("a").await;
    let paused = crate::Transition {
        pause: Duration::from_secs(60),
        ..going_on()
    };
    fixture.store.commit(&claim, &paused).await.unwrap();
    fixture.store.take_back("a").await.unwrap();
    assert!(fixture.store.claim("a", LEASE).await.unwrap().is_none());
}
