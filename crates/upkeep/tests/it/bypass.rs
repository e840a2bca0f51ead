//! Clients that the endpoint does not see: they commit at the instance's own socket, all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use crate::world::{World, connect};

/// Enough of them that some of them always wait to commit: as soon as one flush has ended, theirs begins.
const WRITERS: usize = 8;

pub(crate) struct Bypass {
    stop: Arc<AtomicBool>,
    writers: JoinSet<i64>,
}

impl Bypass {
    pub(crate) async fn start(world: &World) -> Self {
        let primary = world.primary().await.expect("the primary runs");
        let config = world.direct(&primary);
        let setup = connect(&config).await.unwrap();
        let table = "CREATE TABLE IF NOT EXISTS bypass(at timestamptz DEFAULT now())";
        setup.batch_execute(table).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let client = connect(&config).await.unwrap();
            let stop = Arc::clone(&stop);
            writers.spawn(async move {
                let mut acknowledged = 0;
                while !stop.load(Ordering::Relaxed) {
                    let insert = client.execute("INSERT INTO bypass DEFAULT VALUES", &[]);
                    insert.await.expect("a frozen server is thawed again");
                    acknowledged += 1;
                }
                acknowledged
            });
        }
        Self { stop, writers }
    }

    /// Ends them. What they were told is stored, and they were never refused.
    pub(crate) async fn stop_unharmed(mut self, world: &World) {
        self.stop.store(true, Ordering::Relaxed);
        let mut acknowledged = 0;
        while let Some(ended) = self.writers.join_next().await {
            acknowledged += ended.unwrap();
        }
        let primary = world.primary().await.expect("the primary runs");
        let client = connect(&world.direct(&primary)).await.unwrap();
        let stored: i64 = client
            .query_one("SELECT count(*) FROM bypass", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(stored, acknowledged);
    }
}
