//! What outlives `upkeep up`, or `upkeep down`: neither ends what it cannot start again, and neither
//! gives up on the rest.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::Client;
use upkeep_testkit::up::Role;

use crate::books::Books;
use crate::left;
use crate::wait::wait_until;
use crate::world::{World, other};

const SOON: Duration = Duration::from_secs(20);
const ROLES: [Role; 3] = [Role::Server, Role::Agent, Role::Endpoint];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_adopts_what_outlived_it_and_clients_notice_nothing() {
    let mut world = World::new().await;
    let (client, rival) = (world.connect().await, world.connect().await);
    lock(&client).await;
    let waits = tokio::spawn(async move { lock(&rival).await });
    let before = pids(&world);

    world.up.crash_up().await.unwrap();
    assert_eq!(pids(&world), before, "the roles lived on");
    world.up.start_again().await.unwrap();
    assert_eq!(pids(&world), before, "they were left at it");
    assert!(!waits.is_finished(), "its statement goes on");
    let released = client.query_one("SELECT pg_advisory_unlock(1)", &[]).await;
    assert!(
        released.unwrap().get::<_, bool>(0),
        "it had the lock all the time"
    );
    waits.await.unwrap();

    world.up.crash(Role::Server).unwrap();
    wait_until("another server", SOON, async || {
        world.up.pid(Role::Server).is_ok_and(|pid| pid != before[0])
            && world.up.run(&["apps"]).await.is_ok()
    })
    .await;
    let from = world.release().await;
    assert_eq!(world.change_over().await.outcome, "succeeded");
    left::nothing_but_the_primary(&world, other(&from)).await;
    client.query_one("SELECT 1", &[]).await.unwrap();

    let ended = world.up.attempt(&["down"]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("with 2 PostgreSQL instances"),
        "{ended:?}"
    );
    assert!(
        before.iter().all(|pid| !lives(*pid)),
        "the adopted ones too"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn down_stops_all_that_can_be_stopped_and_names_the_rest() {
    let world = World::new().await;
    let primary = world.primary().await.unwrap();
    kill(primary.pid, Signal::SIGSTOP).unwrap();

    let ended = world.up.attempt(&["down"]).await.unwrap();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let id = primary.data_dir.parent().unwrap().file_name().unwrap();
    for sentence in [
        "1 of 2 instances are stopped",
        &format!("instance `{id}` is left as it is"),
        "is frozen",
        "run `upkeep down` again",
    ] {
        assert!(ended.stderr.contains(sentence), "{sentence}: {ended:?}");
    }
    assert_eq!(Books::instance(&world.up), None);
    assert_eq!(world.instances().len(), 1);

    kill(primary.pid, Signal::SIGCONT).unwrap();
    let ended = world.up.attempt(&["down"]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.up.instances(), []);
}

fn pids(world: &World) -> [Pid; 3] {
    ROLES.map(|role| world.up.pid(role).unwrap())
}

fn lives(pid: Pid) -> bool {
    // A zombie has no program any more.
    fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

async fn lock(client: &Client) {
    client
        .query("SELECT pg_advisory_lock(1)", &[])
        .await
        .unwrap();
}
