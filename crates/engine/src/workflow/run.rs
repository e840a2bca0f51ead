//! What a procedure is to the driver, and what a step is given to work with.
//!
//! Rules of a step: one visible effect; look, act, look again, so that twice is once; nothing passes
//! between steps but the persisted state; every wait says what it waits for.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{
    Answer, CommandId, Envelope, Fence, HostCommand, HostError, HostQuery, Outcome,
};
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::Observation;
use upkeep_domain::ports::{Traffic, TrafficError};
use upkeep_domain::procedure::{End, StepSpec, Steps, Verdict};
use upkeep_store::{Change, Claim, Error as StoreError, EventKind, NewEvent, Store};

use crate::World;

/// An agent that was killed is back long before that.
const AGENT_AWAY_MAX: Duration = Duration::from_secs(20);
const AGENT_LOOK_EVERY: Duration = Duration::from_millis(200);
const STORE_LOOK_EVERY: Duration = Duration::from_millis(500);
/// Waiting is told at most that often.
const NOTE_EVERY: Duration = Duration::from_millis(500);

/// A procedure's persisted state, and what its steps do.
#[async_trait]
pub(crate) trait Run: Serialize + DeserializeOwned + Send + Sync + 'static {
    type Step: Steps;

    /// Does one step. May be called again for the same visit: after a crash, or when it is not known
    /// what became of it.
    async fn visit(&mut self, step: Self::Step, visit: &Visit<'_>) -> Result<Done, Failure>;

    /// What the visit found out that is recorded whatever its verdict is.
    fn to_record(&mut self) -> Vec<Change> {
        Vec::new()
    }

    /// What else is true when it has ended so.
    fn at_end(&self, _end: End) -> Vec<Change> {
        Vec::new()
    }
}

/// A visit that came through.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) verdict: Verdict,
    pub(crate) changes: Vec<Change>,
    /// Figures for the event.
    pub(crate) detail: Value,
    /// In which way it is not as it was asked for, for people: it stays with the work to its end.
    pub(crate) remark: Option<String>,
}

impl Done {
    pub(crate) fn new() -> Self {
        Self {
            verdict: Verdict::Done,
            changes: Vec::new(),
            detail: json!({}),
            remark: None,
        }
    }

    pub(crate) fn again(detail: Value) -> Self {
        Self {
            verdict: Verdict::Again,
            changes: Vec::new(),
            detail,
            remark: None,
        }
    }

    pub(crate) fn with(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    pub(crate) fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    pub(crate) fn remark(mut self, remark: Option<String>) -> Self {
        self.remark = remark;
        self
    }
}

/// A visit that did not. Sentences are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It did not come about; trying again may help.
    Failed(String),
    /// It did not come about, it is *known* that nothing was done, and trying again will not help.
    Final(String),
    /// Nobody knows: the same visit is made again, and the receiver tells what became of it.
    Unknown(String),
    /// Somebody else has claimed the workflow.
    Stale,
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Stale { .. } => Self::Stale,
            HostError::Refused { refusal } => Self::Final(match refusal.hint {
                Some(hint) => format!("{} ({hint})", refusal.sentence),
                None => refusal.sentence,
            }),
            HostError::Failed { sentence } => Self::Failed(sentence),
            HostError::Unknown { .. } => Self::Unknown(error.to_string()),
        }
    }
}

impl From<TrafficError> for Failure {
    fn from(error: TrafficError) -> Self {
        match error {
            TrafficError::Stale { .. } => Self::Stale,
            TrafficError::NotHeld { .. } => Self::Final(error.to_string()),
            TrafficError::UnknownDatabase { .. } | TrafficError::Failed { .. } => {
                Self::Failed(error.to_string())
            }
            TrafficError::Unknown { .. } => Self::Unknown(error.to_string()),
        }
    }
}

/// What a step may use: the world, under this claim's fence.
pub(crate) struct Visit<'a> {
    pub(crate) world: &'a World,
    pub(crate) claim: &'a Claim,
    pub(crate) store: &'a Store,
    step: &'static str,
    ends_at: Instant,
    /// By whom it was called off, if it can be undone.
    cancelled: OnceLock<String>,
    noted: Mutex<Option<Instant>>,
}

impl<'a> Visit<'a> {
    pub(crate) fn new(
        world: &'a World,
        store: &'a Store,
        claim: &'a Claim,
        spec: &StepSpec,
    ) -> Self {
        Self {
            world,
            claim,
            store,
            step: spec.name,
            ends_at: Instant::now() + spec.deadline,
            cancelled: OnceLock::new(),
            noted: Mutex::new(None),
        }
    }

    pub(crate) fn fence(&self) -> Fence {
        self.claim.fence
    }

    /// Until the driver gives the visit up.
    pub(crate) fn time_left(&self) -> Duration {
        self.ends_at.saturating_duration_since(Instant::now())
    }

    pub(crate) fn traffic(&self) -> &dyn Traffic {
        self.world.traffic.as_ref()
    }

    /// Sends a command. `part` tells the commands of one step apart.
    pub(crate) async fn command(
        &self,
        host: HostId,
        part: u8,
        command: HostCommand,
    ) -> Result<Outcome, Failure> {
        let envelope = Envelope {
            id: CommandId {
                workflow: self.claim.workflow,
                step: self.step.to_owned(),
                visit: self.claim.visit,
                part,
            },
            fence: self.claim.fence,
            command,
        };
        Ok(self.world.hosts.command(host, &envelope).await?)
    }

    pub(crate) async fn query(&self, host: HostId, query: HostQuery) -> Result<Answer, Failure> {
        Ok(self.world.hosts.query(host, &query).await?)
    }

    pub(crate) async fn observe(
        &self,
        host: HostId,
        instance: InstanceId,
    ) -> Result<Observation, Failure> {
        observed(self.query(host, HostQuery::Observe { instance }).await?)
    }

    /// As `query`, for steps that clients do not feel: that its agent is started again meanwhile is no
    /// reason to throw away a copy that took hours.
    pub(crate) async fn query_patiently(
        &self,
        host: HostId,
        query: HostQuery,
    ) -> Result<Answer, Failure> {
        let until = Instant::now() + AGENT_AWAY_MAX;
        loop {
            match self.query(host, query.clone()).await {
                Err(Failure::Unknown(why)) if Instant::now() < until => {
                    self.waiting("for the agent of the host", json!({ "why": why }))
                        .await?;
                    sleep(AGENT_LOOK_EVERY).await;
                }
                ended => return ended,
            }
        }
    }

    pub(crate) async fn observe_patiently(
        &self,
        host: HostId,
        instance: InstanceId,
    ) -> Result<Observation, Failure> {
        let query = HostQuery::Observe { instance };
        observed(self.query_patiently(host, query).await?)
    }

    /// Reads our own state, however long it is away: nothing is decided without it.
    pub(crate) async fn read_store<T, F>(&self, read: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match read().await {
                Ok(read) => return read,
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "cannot read our own state; trying on");
                    sleep(STORE_LOOK_EVERY).await;
                }
            }
        }
    }

    /// From now on waiting is no use.
    pub(super) fn cancel(&self, by: String) {
        // Whoever came first stays.
        let _ = self.cancelled.set(by);
    }

    /// # Errors
    /// [`Failure::Final`] when somebody has called it off.
    pub(crate) fn not_cancelled(&self) -> Result<(), Failure> {
        match self.cancelled.get() {
            Some(by) => Err(cancelled(by)),
            None => Ok(()),
        }
    }

    /// Tells people what is being waited for. Too often is not told at all.
    ///
    /// # Errors
    /// [`Failure::Final`] when somebody has called it off.
    pub(crate) async fn waiting(
        &self,
        sentence: impl Into<String>,
        detail: Value,
    ) -> Result<(), Failure> {
        self.not_cancelled()?;
        {
            let mut noted = self
                .noted
                .lock()
                .expect("nothing panics while it holds this lock");
            if noted.is_some_and(|at| at.elapsed() < NOTE_EVERY) {
                return Ok(());
            }
            *noted = Some(Instant::now());
        }
        let event = NewEvent {
            step: self.step,
            kind: EventKind::Waiting,
            sentence: sentence.into(),
            detail,
        };
        if let Err(error) = self.store.note(self.claim, &event).await {
            tracing::debug!(%error, "could not record what is being waited for");
        }
        Ok(())
    }
}

pub(super) fn cancelled(by: &str) -> Failure {
    Failure::Final(format!("called off by {by}"))
}

fn observed(answer: Answer) -> Result<Observation, Failure> {
    match answer {
        Answer::Observed { observation } => Ok(*observation),
        other => Err(unexpected(&other)),
    }
}

/// An answer that does not belong to its question: a defect, or versions that do not fit.
pub(crate) fn unexpected(answer: &impl std::fmt::Debug) -> Failure {
    Failure::Failed(format!(
        "the agent answered something else than was asked: {answer:?}"
    ))
}
