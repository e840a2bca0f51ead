//! The whole of a switch, command by command, under writes that bypass the endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::watch;
use tokio_postgres::Client;
use upkeep_domain::host_command::{HostCommand, HostError, Outcome};
use upkeep_domain::instance::ProcessState;
use upkeep_domain::lsn::TimelineId;

use crate::world::{FENCE, World, envelope, state, wait_for};

const SILENCE_MS: u64 = 30_000;

/// Commits one row after the other until it is told to pause or the server is gone.
struct Writer {
    acknowledged: Arc<AtomicU64>,
    paused: watch::Sender<bool>,
    waiting: Arc<AtomicBool>,
}

impl Writer {
    fn start(client: Client) -> Self {
        let writer = Self {
            acknowledged: Arc::default(),
            paused: watch::Sender::new(false),
            waiting: Arc::default(),
        };
        let (acknowledged, mut paused, waiting) = (
            writer.acknowledged.clone(),
            writer.paused.subscribe(),
            writer.waiting.clone(),
        );
        tokio::spawn(async move {
            loop {
                if *paused.borrow() {
                    waiting.store(true, Ordering::SeqCst);
                    if paused.wait_for(|paused| !paused).await.is_err() {
                        return;
                    }
                }
                waiting.store(false, Ordering::SeqCst);
                if client
                    .batch_execute("INSERT INTO ledger DEFAULT VALUES")
                    .await
                    .is_err()
                {
                    return;
                }
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        });
        writer
    }

    fn written(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    async fn pause(&self) {
        self.paused.send_replace(true);
        wait_for("the writer to pause", || {
            self.waiting.load(Ordering::SeqCst)
        })
        .await;
    }

    async fn go_on(&self) {
        let before = self.written();
        self.paused.send_replace(false);
        wait_for("writes to go on", || self.written() > before + 5).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_over_and_has_every_acknowledged_row() {
    let (world, release, old) = World::with_primary().await;
    let new = world.standby_of(old, release).await;
    let client = world.client(old).await;
    client
        .batch_execute("CREATE TABLE ledger (id bigserial PRIMARY KEY)")
        .await
        .unwrap();
    let writer = Writer::start(client);
    writer.go_on().await;
    world
        .done(HostCommand::Checkpoint {
            instance: old,
            times: 2,
        })
        .await;

    // A client that bypasses the endpoint commits between the marker and the fence.
    let marker = world.mark(old).await;
    assert!(world.received(new, marker).await);
    let before = writer.written();
    wait_for("a commit behind the marker", || {
        writer.written() > before + 1
    })
    .await;
    let freeze = |marker| HostCommand::Freeze {
        instance: old,
        marker,
        silence_ms: SILENCE_MS,
    };
    let Outcome::Behind { transactions, end } = world.done(freeze(marker)).await else {
        panic!("the commit behind the marker was not seen");
    };
    assert!(
        transactions >= 1 && end > marker,
        "{transactions} transactions to {end}"
    );
    assert_eq!(world.see(old).await.process, ProcessState::Frozen);
    for pid in world.processes(old) {
        assert_eq!(state(pid), Some('T'), "process {pid}");
    }

    world.done(HostCommand::Thaw { instance: old }).await;
    writer.go_on().await;

    writer.pause().await;
    let began = Instant::now();
    let marker = world.mark(old).await;
    let marked = began.elapsed();
    assert!(world.received(new, marker).await);
    let received = began.elapsed();
    let frozen = world.done(freeze(marker)).await;
    let fenced = began.elapsed();
    let Outcome::Fenced {
        processes,
        killed: false,
    } = frozen
    else {
        panic!("{frozen:?}")
    };
    assert!(processes >= 6, "{processes}");
    // Told again, it is the same.
    assert_eq!(world.done(freeze(marker)).await, frozen);

    let again = Instant::now();
    world.done(HostCommand::Disarm { instance: old }).await;
    let disarmed = again.elapsed();
    let promoted = world.done(HostCommand::Promote { instance: new }).await;
    let Outcome::Promoted {
        timeline,
        promote_to_write_ms,
    } = promoted
    else {
        panic!("{promoted:?}")
    };
    assert_eq!(timeline, TimelineId(2));
    println!(
        "at the end of: mark {marked:?}, received {received:?}, freeze of {processes} {fenced:?}"
    );
    println!(
        "disarm took {disarmed:?}, promote {} ms",
        f64::from(promote_to_write_ms)
    );
    assert_eq!(
        world.done(HostCommand::Promote { instance: new }).await,
        promoted,
        "twice is once"
    );

    let rows = world
        .client(new)
        .await
        .query_one("SELECT count(*) FROM ledger", &[])
        .await
        .unwrap();
    assert_eq!(rows.get::<_, i64>(0) as u64, writer.written());
    world
        .done(HostCommand::KillInstance { instance: old })
        .await;
    assert!(world.processes(old).is_empty());
    let seen = world.see(old).await;
    assert_eq!((seen.process, seen.disarmed), (ProcessState::Stopped, true));

    // The old one can start as a standby only.
    world
        .done(HostCommand::StartInstance { instance: old })
        .await;
    assert_eq!(world.see(old).await.in_recovery, Some(true));
    for instance in [old, new] {
        world.done(HostCommand::RemoveInstance { instance }).await;
        world.done(HostCommand::RemoveInstance { instance }).await;
        assert_eq!(world.see(instance).await.process, ProcessState::Absent);
        assert!(world.processes(instance).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_killed_before_the_fence_is_fenced_and_its_log_is_read() {
    let (world, release, old) = World::with_primary().await;
    let new = world.standby_of(old, release).await;
    let marker = world.mark(old).await;
    assert!(world.received(new, marker).await);
    let server = nix::unistd::Pid::from_raw(world.server_pid(old));
    nix::sys::signal::kill(server, nix::sys::signal::Signal::SIGKILL).unwrap();
    let fenced = world
        .done(HostCommand::Freeze {
            instance: old,
            marker,
            silence_ms: SILENCE_MS,
        })
        .await;
    assert_eq!(
        fenced,
        Outcome::Fenced {
            processes: 0,
            killed: true
        }
    );
    // A process that is ending has let go of its program before it lets go of the directory.
    wait_for("the last processes to end", || {
        world.processes(old).is_empty()
    })
    .await;
    // The way back: it is started as the primary it was.
    world.done(HostCommand::Rearm { instance: old }).await;
    world.done(HostCommand::Thaw { instance: old }).await;
    assert_eq!(world.see(old).await.in_recovery, Some(false));
}

/// A backend in the middle of a computation does not notice that its server is dead, and commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_outlives_its_server_is_ended_before_it_commits() {
    let (world, release, old) = World::with_primary().await;
    let new = world.standby_of(old, release).await;
    let client = world.client(old).await;
    let ledger = "CREATE TABLE ledger (id bigserial PRIMARY KEY)";
    client.batch_execute(ledger).await.unwrap();
    let pid = client.query_one("SELECT pg_backend_pid()", &[]).await;
    let pid: i32 = pid.unwrap().get(0);
    // In one message, so that it needs nobody to go on; longer than any machine takes to fence it.
    let busy = "INSERT INTO ledger DEFAULT VALUES;
        DO $$ BEGIN FOR i IN 1..2000000000 LOOP PERFORM i; END LOOP; END $$";
    let statement = tokio::spawn(async move { client.batch_execute(busy).await });
    wait_for("the backend to compute", || state(pid) == Some('R')).await;
    let marker = world.mark(old).await;
    assert!(world.received(new, marker).await);
    let server = nix::unistd::Pid::from_raw(world.server_pid(old));
    nix::sys::signal::kill(server, nix::sys::signal::Signal::SIGKILL).unwrap();
    wait_for("the server to be gone", || {
        state(server.as_raw()).is_none_or(|s| s == 'Z')
    })
    .await;
    assert!(state(pid).is_some(), "its backend computes on");

    let freeze = HostCommand::Freeze {
        instance: old,
        marker,
        silence_ms: SILENCE_MS,
    };
    let fenced = world.done(freeze).await;
    let committed = statement.await.unwrap().is_ok();
    wait_for("nobody is left", || world.processes(old).is_empty()).await;
    let killed = matches!(&fenced, Outcome::Fenced { killed: true, .. });
    assert!(killed, "{fenced:?}");
    assert!(!committed, "it was acknowledged");
    world.done(HostCommand::Disarm { instance: old }).await;
    world.done(HostCommand::Promote { instance: new }).await;
    let rows = world.client(new).await;
    let rows = rows.query_one("SELECT count(*) FROM ledger", &[]).await;
    assert_eq!(rows.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_repeated_command_is_answered_and_a_lower_fence_refused() {
    let (world, _, instance) = World::with_primary().await;
    let marker = world.mark(instance).await;
    let freeze = envelope(HostCommand::Freeze {
        instance,
        marker,
        silence_ms: SILENCE_MS,
    });
    let first = world.agent.command(freeze.clone()).await.unwrap();
    world.done(HostCommand::Thaw { instance }).await;
    assert_eq!(world.agent.command(freeze.clone()).await.unwrap(), first);
    assert_eq!(
        world.see(instance).await.process,
        ProcessState::Running,
        "it was not done again"
    );

    let mut stale = envelope(HostCommand::StopInstance { instance });
    stale.fence.0 = FENCE.0 - 1;
    let refused = world.agent.command(stale.clone()).await.unwrap_err();
    assert!(
        refused.to_string().contains("newer controller"),
        "{refused}"
    );
    let world = world.with_a_new_agent().await;
    let refused = world.agent.command(stale).await.unwrap_err();
    assert!(
        refused.to_string().contains("newer controller"),
        "{refused}"
    );
    assert_eq!(
        world.agent.command(freeze).await.unwrap(),
        first,
        "also after a restart"
    );
    assert!(world.see(instance).await.accepts_connections);
}

#[tokio::test]
async fn a_refused_promotion_proves_that_nobody_asked() {
    let (world, release, old) = World::with_primary().await;
    let refused = world
        .send(HostCommand::Promote { instance: old })
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("is a primary already"),
        "{refused}"
    );
    let new = world.standby_of(old, release).await;
    // Its data directory is damaged while it is down: it cannot be started.
    world
        .done(HostCommand::StopInstance { instance: new })
        .await;
    std::fs::remove_file(world.data(new).join("PG_VERSION")).unwrap();
    let refused = world
        .send(HostCommand::Promote { instance: new })
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("was not asked for promotion"),
        "{refused}"
    );
    assert!(!world.see(new).await.promotion_requested);

    // Asked once, it may come about at any time: nothing is refused any more.
    let asked = world.data(new).with_file_name("promotion");
    std::fs::write(asked, "").unwrap();
    world.done(HostCommand::Disarm { instance: new }).await;
    let failed = world
        .send(HostCommand::Promote { instance: new })
        .await
        .unwrap_err();
    assert!(matches!(failed, HostError::Failed { .. }), "{failed:?}");
    assert!(failed.to_string().contains("is disarmed"), "{failed}");
}
