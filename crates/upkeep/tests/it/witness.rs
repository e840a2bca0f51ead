//! The observer at the sockets of all instances, whichever there are at the moment.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use upkeep_testkit::observer::{self, Habit, Observer, Server};

use crate::world::World;

const LOOK_AROUND_EVERY: Duration = Duration::from_millis(100);
/// A commit each 200 ms disturbs a fence now and then, not always.
const HABIT: Habit = Habit { commit_each: 10 };

pub(crate) struct Witness {
    observer: Arc<Observer>,
    looking: JoinHandle<BTreeSet<String>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Witness {
    pub(crate) async fn start(world: &Arc<World>) -> Self {
        let primary = world.primary().await.expect("the primary runs");
        observer::prepare(&world.direct(&primary)).await.unwrap();
        let observer = Arc::new(Observer::start_with(HABIT));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let looking = tokio::spawn(look_around(
            Arc::clone(world),
            Arc::clone(&observer),
            stopped,
        ));
        Self {
            observer,
            looking,
            stop,
        }
    }

    /// Never two writers at the same time, on any of all the servers there were.
    pub(crate) async fn saw_one_writer_at_a_time(self) {
        self.stop.send_replace(true);
        let servers = self.looking.await.unwrap();
        let observer = Arc::into_inner(self.observer).expect("the task that shared it has ended");
        let seen = observer
            .stop()
            .await
            .expect("the observer itself did not fail");
        assert_eq!(seen.overlaps(), []);
        assert!(seen.writes > 0 && !servers.is_empty(), "it saw nothing");
        eprintln!(
            "witness: {} servers, {} of them as primaries; answers: {} as a primary, {} as a standby, {} none, {} unknown",
            servers.len(),
            seen.reigns.len(),
            seen.writes,
            seen.read_only,
            seen.unreachable,
            seen.unknown
        );
    }
}

async fn look_around(
    world: Arc<World>,
    observer: Arc<Observer>,
    stopped: tokio::sync::watch::Receiver<bool>,
) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut ticks = interval(LOOK_AROUND_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stopped.borrow() {
        ticks.tick().await;
        let servers = world.instances().into_iter().map(|instance| Server {
            name: instance.data_dir.to_string(),
            connection: world.direct(&instance),
        });
        let servers: Vec<_> = servers.collect();
        all.extend(servers.iter().map(|server| server.name.clone()));
        observer.watch(servers);
    }
    all
}
