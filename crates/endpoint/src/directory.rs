//! Databases by name, and `domain::ports::Traffic` upon them.
//!
//! Checks that the database is known and the fence is not a stale one; the rest is the database's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::time::Instant;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::hold::{Felt, GateState, HoldLimits, HoldReply, Prepared, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::ports::{Traffic, TrafficError};
use upkeep_domain::route::{Route, Target};

use crate::config::{EndpointConfig, Limits};
use crate::database::Database;
use crate::routes::{Entry, RouteBook, RouteBookError};
use crate::status::DatabaseStatus;

/// Every database this endpoint carries.
pub(crate) struct Directory {
    limits: Limits,
    book: Arc<RouteBook>,
    databases: Mutex<BTreeMap<String, Arc<Database>>>,
}

impl Directory {
    pub(crate) async fn open(config: &EndpointConfig) -> Result<Arc<Self>, RouteBookError> {
        let (book, known) = RouteBook::open(&config.state_dir).await?;
        let directory = Self {
            limits: config.limits.clone(),
            book: Arc::new(book),
            databases: Mutex::default(),
        };
        for entry in known {
            let database = directory.add(entry);
            if database.inner().gate.is_restored() {
                tokio::spawn(database.watch(0));
            }
        }
        Ok(Arc::new(directory))
    }

    fn databases(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Database>>> {
        self.databases
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, entry: Entry) -> Arc<Database> {
        let dbname = entry.route.dbname.clone();
        let database = Database::from_entry(entry, &self.limits, Arc::clone(&self.book));
        self.databases().insert(dbname, Arc::clone(&database));
        database
    }

    pub(crate) fn find(&self, dbname: &str) -> Option<Arc<Database>> {
        self.databases().get(dbname).cloned()
    }

    pub(crate) fn status(&self) -> Vec<DatabaseStatus> {
        let databases: Vec<_> = self.databases().values().cloned().collect();
        databases.iter().map(|database| database.status()).collect()
    }

    fn known(&self, dbname: &str) -> Result<Arc<Database>, TrafficError> {
        let unknown = || TrafficError::UnknownDatabase {
            dbname: dbname.to_owned(),
        };
        self.find(dbname).ok_or_else(unknown)
    }

    /// The database, if the fence is none below the highest it has seen.
    async fn fenced(&self, dbname: &str, fence: Fence) -> Result<Arc<Database>, TrafficError> {
        let database = self.known(dbname)?;
        database.accept(fence).await?;
        Ok(database)
    }
}

#[async_trait]
impl Traffic for Directory {
    async fn route(&self, route: &Route) -> Result<(), TrafficError> {
        if let Some(database) = self.find(&route.dbname) {
            return database.point(route).await;
        }
        let entry = Entry {
            route: route.clone(),
            fence: route.fence,
            sealed_ms: None,
        };
        self.add(entry).keep().await
    }

    async fn forget(&self, dbname: &str, fence: Fence) -> Result<(), TrafficError> {
        let Some(database) = self.find(dbname) else {
            return Ok(());
        };
        database.accept(fence).await?;
        self.databases().remove(dbname);
        database.close();
        let removed = self.book.remove(dbname).await;
        removed.map_err(|error| TrafficError::Failed {
            sentence: ErrorChain(&error).to_string(),
        })
    }

    async fn prepare(
        &self,
        dbname: &str,
        fence: Fence,
        replacement: &Target,
    ) -> Result<Prepared, TrafficError> {
        self.fenced(dbname, fence).await?.prepare(replacement).await
    }

    async fn read_sessions(&self, dbname: &str) -> Result<Prepared, TrafficError> {
        Ok(self.known(dbname)?.read_sessions().await)
    }

    async fn hold(
        &self,
        dbname: &str,
        fence: Fence,
        limits: &HoldLimits,
    ) -> Result<HoldReply, TrafficError> {
        self.fenced(dbname, fence).await?.hold(limits).await
    }

    async fn renew(&self, dbname: &str, fence: Fence) -> Result<GateState, TrafficError> {
        self.fenced(dbname, fence).await?.renew()
    }

    async fn seal(&self, dbname: &str, fence: Fence) -> Result<(), TrafficError> {
        self.fenced(dbname, fence).await?.seal().await
    }

    async fn release(
        &self,
        dbname: &str,
        fence: Fence,
        onto: &ReleaseOnto,
    ) -> Result<(), TrafficError> {
        let database = self.fenced(dbname, fence).await?;
        match onto {
            ReleaseOnto::Same => database.release_same().await,
            ReleaseOnto::Replacement { target } => database.release_onto(target).await,
        }
    }

    async fn felt(&self, dbname: &str) -> Result<Option<Felt>, TrafficError> {
        Ok(self.known(dbname)?.felt.answer(Instant::now()))
    }
}
