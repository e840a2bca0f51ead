//! What happened reaches people: all who are concerned, once, with the same words however often it is tried.

use std::sync::Arc;

use tokio::task::JoinHandle;
use upkeep_domain::notice::delivery::State;
use upkeep_domain::notice::{Address, Delivery};
use upkeep_domain::preflight::{OpenTransaction, Run, Verdict};
use upkeep_store::Wanted;
use upkeep_testkit::sim::{Letterbox, Mishap};

use crate::case::run;
use crate::requests::Desk;
use crate::stage::{FIRST, telling_engine, wait_until};

const RELEASES: [&str; 2] = [FIRST, "15.20-b"];
const FLEET: &str = "dba@example.com";
const OWN: &str = "shop@example.com";
const OTHER: &str = "web@example.com";

/// A desk whose people are told.
struct Told {
    desk: Desk,
    letterbox: Arc<Letterbox>,
    running: Vec<JoinHandle<()>>,
}

impl Told {
    async fn open(people: &[(&str, Whose)]) -> Self {
        let desk = Desk::open(&RELEASES).await;
        let other = desk.engine.create_app(None).await.expect("an app is made");
        for (address, whose) in people {
            let app = match whose {
                Whose::Fleet => None,
                Whose::Own => Some(desk.database.app_id),
                Whose::Other => Some(other.id),
            };
            let address = Address::typed(address).expect("it is an address");
            let added = desk.engine.add_recipient(address, app, "ama", None).await;
            added.expect("it is added");
        }
        Self {
            desk,
            letterbox: Arc::new(Letterbox::default()),
            running: Vec::new(),
        }
    }

    fn runs(mut self, servers: &[&str]) -> Self {
        for server in servers {
            let store = &self.desk.stage.store;
            let engine = telling_engine(store, &self.desk.sim, &self.letterbox, server);
            self.running.push(run(&engine));
        }
        self
    }

    fn received(&self, action: &str) -> Vec<Delivery> {
        let all = self.letterbox.received().into_iter();
        all.filter(|delivery| delivery.action == action).collect()
    }

    async fn has_received(&self, count: usize, action: &str) {
        wait_until(&format!("{count} times {action}"), async || {
            self.received(action).len() >= count
        })
        .await;
    }

    async fn in_state(&self, state: State) -> usize {
        let wanted = Wanted {
            state: Some(state),
            at_most: 100,
            ..Wanted::default()
        };
        let notices = self.desk.engine.notices(&wanted).await;
        notices.expect("the store answers").len()
    }

    async fn the_pause_is_over(&self) {
        let over = "UPDATE upkeep.deliveries SET next_try_at = now() WHERE state = 'pending'";
        self.desk.stage.change(over).await;
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        for running in &self.running {
            running.abort();
        }
    }
}

#[derive(Clone, Copy)]
enum Whose {
    Fleet,
    Own,
    Other,
}

fn addresses(deliveries: &[Delivery]) -> Vec<&str> {
    let mut addresses: Vec<_> = deliveries
        .iter()
        .map(|delivery| delivery.to.address())
        .collect();
    addresses.sort_unstable();
    addresses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planned_is_told_once_to_everybody_concerned_by_whatever_servers_there_are() {
    let people = [
        (FLEET, Whose::Fleet),
        (OWN, Whose::Own),
        (OTHER, Whose::Other),
    ];
    let told = Told::open(&people).await;
    let store = &told.desk.stage.store;
    let (account, token) = (uuid::Uuid::from_u128(1), [0; 32]);
    for email in ["owner@localhost", "ama@example.com"] {
        store.add_token(account, email, &token).await.unwrap();
    }
    let told = told.runs(&["one", "two"]);
    told.has_received(3, "maintenance_scheduled").await;
    told.desk.a_turn_goes_by().await;
    // Of an app whose own people nobody has named.
    told.has_received(5, "maintenance_scheduled").await;
    let name = &told.desk.database.name;
    let mut own = told.received("maintenance_scheduled");
    own.retain(|delivery| delivery.database == *name);
    assert_eq!(addresses(&own), ["ama@example.com", FLEET, OWN]);
    let letter = &own[0].letter;
    assert!(letter.subject.contains(name), "{}", letter.subject);
    assert!(own.iter().all(|delivery| delivery.letter == *letter));
    wait_until("all of it is sent", async || {
        told.in_state(State::Pending).await == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_of_what_is_planned_is_told_what_it_will_meet_as_things_are() {
    let told = Told::open(&[(FLEET, Whose::Fleet)]).await;
    let reports = OpenTransaction {
        age_ms: 90_000,
        who: "role `reports`".to_owned(),
    };
    let sim = &told.desk.sim;
    sim.set_facts(|facts| facts.oldest_transaction = Some(reports));
    let told = told.runs(&["one"]);
    told.has_received(1, "maintenance_scheduled").await;
    let letter = &told.received("maintenance_scheduled")[0].letter;
    let [obstacle] = letter.obstacles.as_slice() else {
        panic!("{letter:?}");
    };
    assert!(obstacle.seen.contains("role `reports`"), "{obstacle:?}");
    // It is kept with what is planned.
    let planned = told.desk.planned_for(&told.desk.database).await;
    let planned = planned.expect("it is planned");
    let [report] = planned.preflight.as_slice() else {
        panic!("{planned:?}");
    };
    assert_eq!(report.run, Run::Ahead);
    assert_eq!(report.verdict(), Verdict::Warning);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_is_sent_again_with_the_same_words_and_what_is_refused_is_not() {
    let told = Told::open(&[(FLEET, Whose::Fleet), (OWN, Whose::Own)]).await;
    told.letterbox.expect(&[Mishap::Refused, Mishap::Unheard]);
    let told = told.runs(&["one"]);
    told.has_received(1, "maintenance_scheduled").await;
    wait_until("one is given up", async || {
        told.in_state(State::Failed).await == 1
    })
    .await;
    // What people were told stays as it was, whatever becomes of the database.
    told.desk
        .stage
        .change("UPDATE upkeep.databases SET name = 'other'")
        .await;
    told.letterbox.expect(&[Mishap::Failed]);
    told.the_pause_is_over().await;
    let tries = async || {
        let tries = "SELECT coalesce(max(tries), 0)::text FROM upkeep.deliveries WHERE trouble LIKE '%Failed%'";
        told.desk.stage.texts(tries).await == ["2"]
    };
    wait_until("it has failed", tries).await;
    told.the_pause_is_over().await;
    told.has_received(2, "maintenance_scheduled").await;
    wait_until("it is sent", async || {
        told.in_state(State::Pending).await == 0
    })
    .await;
    let received = told.received("maintenance_scheduled");
    assert_eq!(received[0], received[1]);
    assert_eq!(told.in_state(State::Sent).await, 1);

    let notice = received[0].notice;
    told.desk.engine.retry_notice(notice).await.unwrap();
    told.has_received(3, "maintenance_scheduled").await;
    wait_until("all of it is sent", async || {
        told.in_state(State::Failed).await == 0
    })
    .await;
    wait_until("a retry is refused", async || {
        told.desk.engine.retry_notice(notice).await.is_err()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_takes_for_three_days_is_given_up() {
    let told = Told::open(&[(FLEET, Whose::Fleet)]).await;
    told.letterbox.expect(&[Mishap::Failed, Mishap::Failed]);
    let told = told.runs(&["one"]);
    let troubled = async || {
        let trouble = "SELECT trouble FROM upkeep.deliveries WHERE trouble IS NOT NULL";
        !told.desk.stage.texts(trouble).await.is_empty()
    };
    wait_until("it has failed", troubled).await;
    let old = "UPDATE upkeep.outbox SET created_at = now() - interval '73 hours'";
    told.desk.stage.change(old).await;
    told.the_pause_is_over().await;
    wait_until("it is given up", async || {
        told.in_state(State::Failed).await == 1
    })
    .await;
    // Old as it is now, a reminder may be due.
    assert_eq!(told.received("maintenance_scheduled"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_reminded_once_and_nobody_hears_of_what_needs_no_notice() {
    let told = Told::open(&[(FLEET, Whose::Fleet), (OWN, Whose::Own)]).await;
    let told = told.runs(&["one", "two"]);
    told.has_received(2, "maintenance_scheduled").await;
    // What stands in a week is near now, and people heard of it long ago.
    let near = "UPDATE upkeep.maintenances SET scheduled_for = now() + interval '20 hours'
                WHERE started_at IS NULL";
    let long_ago = "UPDATE upkeep.outbox SET created_at = now() - interval '9 days'";
    told.desk.stage.change(near).await;
    told.desk.stage.change(long_ago).await;
    told.has_received(2, "maintenance_reminder").await;
    told.desk.a_turn_goes_by().await;
    let reminded = "SELECT kind FROM upkeep.outbox WHERE kind = 'maintenance_reminder'";
    assert_eq!(told.desk.stage.texts(reminded).await.len(), 1);
    assert_eq!(
        addresses(&told.received("maintenance_reminder")),
        [FLEET, OWN]
    );

    let database = told.desk.database.id;
    told.desk.stage.set_plan(database, "essential-0").await;
    for kind in ["maintenance_started", "maintenance_stuck"] {
        let tell = format!(
            "INSERT INTO upkeep.outbox (database_id, kind, body) VALUES ('{database}', '{kind}', '{{}}')"
        );
        told.desk.stage.change(&tell).await;
    }
    told.has_received(1, "maintenance_stuck").await;
    assert_eq!(addresses(&told.received("maintenance_stuck")), [FLEET]);
    assert_eq!(told.received("maintenance_started"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipients_are_kept_once_each_and_take_along_what_was_on_its_way() {
    let told = Told::open(&[(FLEET, Whose::Fleet)]).await;
    told.letterbox.expect(&[Mishap::Failed]);
    let told = told.runs(&["one"]);
    wait_until("it is on its way", async || {
        told.in_state(State::Pending).await == 1
    })
    .await;
    let engine = &told.desk.engine;
    let address = || Address::typed(FLEET).unwrap();
    let twice = engine.add_recipient(address(), None, "ama", None).await;
    assert!(twice.unwrap_err().sentence.contains("is told already"));
    let own = Some(told.desk.database.app_id);
    engine
        .add_recipient(address(), own, "ama", None)
        .await
        .unwrap();
    let hook = Address::typed("https://chat.example.com/hooks/1").unwrap();
    let (hook, secret) = engine.add_recipient(hook, None, "ama", None).await.unwrap();
    assert_eq!(secret.map(|secret| secret.len()), Some(64));
    engine.try_recipient(hook.id, "ama").await.unwrap();

    let fleet = engine.recipients().await.unwrap()[0].clone();
    engine.remove_recipient(fleet.id).await.unwrap();
    assert_eq!(told.in_state(State::Pending).await, 0);
    let gone = engine.remove_recipient(fleet.id).await.unwrap_err();
    assert!(gone.sentence.contains("no recipient"), "{gone}");
}
