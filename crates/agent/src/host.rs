//! What the agent holds in memory: one entry for each instance, made anew from disk when it starts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;
use tokio::time::Instant;
use upkeep_domain::host_command::HostError;
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::refusal::RefusalKind;

use crate::command::RunAs;
use crate::fault::{OrFailed, refused};
use crate::identity;
use crate::journal::Journal;
use crate::layout::{Layout, Places};
use crate::process::State;
use crate::record::Record;
use crate::releases::Releases;
use crate::session::{self, Session};
use crate::{postmaster, process::Process};

pub(crate) struct Host {
    pub(crate) layout: Layout,
    pub(crate) run_as: Option<RunAs>,
    /// How primaries are fenced here.
    pub(crate) fence: FenceMeans,
    pub(crate) releases: Releases,
    pub(crate) journal: Mutex<Journal>,
    instances: Mutex<HashMap<InstanceId, Arc<Instance>>>,
}

impl Host {
    pub(crate) fn new(
        layout: Layout,
        run_as: Option<RunAs>,
        fence: FenceMeans,
        releases: Releases,
        journal: Journal,
    ) -> Self {
        let journal = Mutex::new(journal);
        Self {
            layout,
            run_as,
            fence,
            releases,
            journal,
            instances: Mutex::default(),
        }
    }

    /// The entry of an instance, whether or not there is one on disk.
    pub(crate) fn instance(&self, id: InstanceId) -> Arc<Instance> {
        let entry = || Arc::new(Instance::new(id, self.layout.places(id)));
        locked(&self.instances)
            .entry(id)
            .or_insert_with(entry)
            .clone()
    }
}

/// A panic elsewhere leaves these maps whole: each change is a single one.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) places: Places,
    /// Held by whatever changes the instance: one thing at a time.
    pub(crate) lane: tokio::sync::Mutex<()>,
    control: tokio::sync::Mutex<Option<Arc<Session>>>,
    /// When a command that was let in last spoke of it.
    heard: Mutex<Instant>,
    /// Kills it on silence while it is frozen.
    pub(crate) watcher: Mutex<Option<AbortHandle>>,
    pub(crate) copying: Mutex<Option<Copying>>,
}

/// A copy under way.
pub(crate) struct Copying {
    pub(crate) task: AbortHandle,
    pub(crate) bytes_total: u64,
}

impl Instance {
    fn new(id: InstanceId, places: Places) -> Self {
        Self {
            id,
            places,
            lane: tokio::sync::Mutex::default(),
            control: tokio::sync::Mutex::default(),
            heard: Mutex::new(Instant::now()),
            watcher: Mutex::default(),
            copying: Mutex::default(),
        }
    }

    pub(crate) fn hear(&self) {
        *locked(&self.heard) = Instant::now();
    }

    pub(crate) fn heard(&self) -> Instant {
        *locked(&self.heard)
    }

    /// What we know of it; refused if there is no such instance.
    pub(crate) fn record(&self) -> Result<Record, HostError> {
        let sentence = || format!("there is no instance `{}` on this host", self.id);
        let record = Record::read(&self.places).or_failed()?;
        record.ok_or_else(|| refused(RefusalKind::NotFound, sentence()))
    }

    /// Like `record`, for what needs a whole data directory.
    pub(crate) fn complete_record(&self) -> Result<Record, HostError> {
        let record = self.record()?;
        if record.complete {
            return Ok(record);
        }
        let sentence = format!(
            "the data directory of instance `{}` is not complete",
            self.id
        );
        Err(refused(RefusalKind::NotReady, sentence))
    }

    /// Its server process, unless it is dead.
    pub(crate) fn server(&self) -> Option<Process> {
        postmaster::find(&self.places.data())
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.server()
            .is_some_and(|server| server.state() == State::Stopped)
    }

    /// Refused while its processes are stopped: it could not answer.
    pub(crate) fn refuse_frozen(&self) -> Result<(), HostError> {
        if !self.is_frozen() {
            return Ok(());
        }
        let sentence = format!("instance `{}` is frozen; thaw it first", self.id);
        Err(refused(RefusalKind::Conflict, sentence))
    }

    /// The control session that is kept open.
    pub(crate) async fn session(&self) -> Result<Arc<Session>, session::Error> {
        let mut kept = self.control.lock().await;
        if let Some(session) = kept.as_ref().filter(|session| !session.is_closed()) {
            return Ok(session.clone());
        }
        let session = Arc::new(self.own_session().await?);
        *kept = Some(session.clone());
        Ok(session)
    }

    /// A session apart, for what takes long.
    pub(crate) async fn own_session(&self) -> Result<Session, session::Error> {
        let identity = identity::read(&self.places.data()).map_err(session::Error::Identity)?;
        Session::open(&self.places.address(), &identity).await
    }

    pub(crate) async fn close_sessions(&self) {
        self.control.lock().await.take();
    }

    /// Of a server that must be there and not frozen.
    pub(crate) async fn answering(&self) -> Result<Arc<Session>, HostError> {
        self.complete_record()?;
        self.refuse_frozen()?;
        self.session().await.or_failed()
    }
}
