//! A consumer of a logical slot that does not listen: a server that shuts down waits for it, clients do not.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use upkeep_testkit::releases_source::installed_dir;

use crate::restarts::{ask, primary, superuser};
use crate::wait::wait_until;
use crate::world::{World, clean_stop, other};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(30);
const READS: &str = "SELECT (count(*) FILTER (WHERE active))::text FROM pg_replication_slots";

struct Consumer(Child);

impl Consumer {
    #[expect(
        clippy::disallowed_methods,
        reason = "a consumer of somebody else's, for a test's own set-up"
    )]
    async fn start(world: &World) -> Self {
        let program = installed_dir("15").join("bin/pg_recvlogical");
        let there = primary(world).await;
        let (host, port) = (there.socket_dir, there.port.to_string());
        let child = Command::new(program)
            .args([
                "-h",
                host.as_str(),
                "-p",
                &port,
                "-U",
                "upkeep",
                "-d",
                world.dbname(),
            ])
            .args(["-S", "cdc", "--start", "--no-loop", "-f", "/dev/null"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let consumer = Self(child.unwrap());
        wait_until("it reads", SOON, async || ask(world, READS).await == "1").await;
        consumer
    }

    fn stand_still(&self) {
        kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGSTOP).unwrap();
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_consumer_that_does_not_listen_is_named_and_not_waited_for() {
    let world = World::with(clean_stop()).await;
    superuser(&world, "ALTER SYSTEM SET wal_level = logical").await;
    assert_eq!(world.restart().await.outcome, "succeeded");
    superuser(
        &world,
        "SELECT pg_create_logical_replication_slot('cdc', 'test_decoding')",
    )
    .await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let changeover = [
        "--method",
        "changeover",
        "--release",
        other(&from),
        "--waive",
        "logical_slots",
        "--because",
        "it is made anew afterwards",
    ];

    let consumer = Consumer::start(&world).await;
    consumer.stand_still();
    let ending = world.ending(world.begin_as(&changeover)).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(ending.because.contains("walsender"), "{ending:?}");
    assert_eq!(world.release().await, from);
    load::unharmed(&load, "a stop that took too long");

    drop(consumer);
    let consumer = Consumer::start(&world).await;
    consumer.stand_still();
    let ending = world.restart().await;
    assert_eq!(
        ending.outcome, "succeeded",
        "a restart does not need it: {ending:?}"
    );
    drop(consumer);

    let ending = world.ending(world.begin_as(&changeover)).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::promise_held(load).await;
}
