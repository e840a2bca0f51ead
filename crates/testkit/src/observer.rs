//! The witness that there is never more than one writer: it knocks at every server directly, past
//! any endpoint, and writes down each commit a server acknowledged.
//!
//! It is no part of the product and asks it nothing. A server may vanish, freeze or come back at any
//! time; each has its own task and its own short deadline, so none delays the others.

mod sightings;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use sightings::{Overlap, Reign, Sightings, Write};

use crate::load::{Error, Plain, Stopwatch};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS observer(at timestamptz, server text)";

/// How the observer knocks. It commits past the endpoint, which a fence notices: rare commits disturb
/// a changeover less, and a server that answers as a primary is held to be a writer all the same.
#[derive(Debug, Clone, Copy)]
pub struct Habit {
    /// Every so many knocks is a commit; the others only ask whether it would be possible.
    pub commit_each: u32,
}

impl Default for Habit {
    fn default() -> Self {
        Self { commit_each: 1 }
    }
}

/// One server to knock at: a direct connection, never through an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Tells this server from others, also from another one at the same address later.
    pub name: String,
    /// A unix socket directory (or an address), port, user and database.
    pub connection: tokio_postgres::Config,
}

/// Makes the table that the observer writes to; on the primary, beforehand.
pub async fn prepare(primary: &tokio_postgres::Config) -> Result<(), Error> {
    let plain = Plain::connect_to(primary).await?;
    let created = plain.client.batch_execute(CREATE).await;
    plain.close().await;
    created.map_err(|source| Error::Tables { source })
}

/// Knocks at a changing list of servers until it is stopped. Dropping it ends it too.
pub struct Observer {
    lists: mpsc::UnboundedSender<Vec<Server>>,
    sightings: Arc<Mutex<Sightings>>,
    desk: JoinHandle<()>,
}

impl Observer {
    /// Commits at every knock.
    pub fn start() -> Self {
        Self::start_with(Habit::default())
    }

    pub fn start_with(habit: Habit) -> Self {
        let (lists, changes) = mpsc::unbounded_channel();
        let sightings = Arc::default();
        Self {
            lists,
            desk: tokio::spawn(observe(changes, habit, Arc::clone(&sightings))),
            sightings,
        }
    }

    /// From now on knocks at exactly these servers. What was seen of others is kept.
    pub fn watch(&self, servers: Vec<Server>) {
        // The desk only ends when this sender is dropped.
        let _ = self.lists.send(servers);
    }

    /// What was seen until now.
    pub fn so_far(&self) -> Sightings {
        locked(&self.sightings).clone()
    }

    /// Ends all knocking and tells what was seen; `None` if the observer itself failed.
    pub async fn stop(self) -> Option<Sightings> {
        drop(self.lists);
        self.desk.await.ok()?;
        Some(locked(&self.sightings).clone())
    }
}

fn locked(sightings: &Mutex<Sightings>) -> MutexGuard<'_, Sightings> {
    sightings.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn observe(
    mut changes: mpsc::UnboundedReceiver<Vec<Server>>,
    habit: Habit,
    sightings: Arc<Mutex<Sightings>>,
) {
    let stopwatch = Stopwatch::start();
    let (seen, mut notes) = mpsc::unbounded_channel();
    let mut watched: HashMap<String, (Server, oneshot::Sender<()>)> = HashMap::new();
    loop {
        tokio::select! {
            change = changes.recv() => {
                let Some(servers) = change else { break };
                watched.retain(|_, (server, _)| servers.contains(server));
                for server in servers {
                    watched.entry(server.name.clone()).or_insert_with(|| {
                        let (end, ended) = oneshot::channel();
                        let knock = watch::knock(server.clone(), habit, stopwatch, seen.clone(), ended);
                        tokio::spawn(knock);
                        (server, end)
                    });
                }
            }
            Some(note) = notes.recv() => locked(&sightings).note(note),
        }
    }
    // Dropping the ends stops the tasks; the notes end when the last task has left.
    drop(watched);
    drop(seen);
    while let Some(note) = notes.recv().await {
        locked(&sightings).note(note);
    }
}
