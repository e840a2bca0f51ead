//! The other end of the socket: an agent as the engine sees it. Whatever keeps an answer from
//! arriving is *unknown*, never *failed*. Which host it is for is not checked here: the socket is
//! the host's.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{Answer, Envelope, HostCommand, HostError, HostQuery, Outcome};
use upkeep_domain::id::HostId;
use upkeep_domain::ports::Hosts;

/// What is allowed on top of the time a command may take inside the agent.
const MARGIN: Duration = Duration::from_secs(5);

/// The agent of one host, over one kept connection.
#[derive(Clone, Debug)]
pub struct AgentClient {
    http: reqwest::Client,
}

#[derive(Debug, thiserror::Error)]
#[error("prepare connections to the agent at `{}`", socket.display())]
pub struct Error {
    socket: PathBuf,
    source: reqwest::Error,
}

impl AgentClient {
    /// `socket` is where the agent listens. Connects when first used.
    pub fn new(socket: impl Into<PathBuf>) -> Result<Self, Error> {
        let socket = socket.into();
        match reqwest::Client::builder()
            .unix_socket(socket.clone())
            .no_proxy()
            .build()
        {
            Ok(http) => Ok(Self { http }),
            Err(source) => Err(Error { socket, source }),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        deadline: Duration,
    ) -> Result<T, HostError> {
        let request = self
            .http
            .post(format!("http://agent{path}"))
            .timeout(deadline)
            .json(body);
        let answered = async { request.send().await?.error_for_status()?.json().await };
        let answer: Result<Result<T, HostError>, reqwest::Error> = answered.await;
        answer.unwrap_or_else(|error| {
            let sentence = ErrorChain(&error.without_url()).to_string();
            Err(HostError::Unknown { sentence })
        })
    }
}

/// How long a command may take before its outcome is called unknown.
fn patience(command: &HostCommand) -> Duration {
    let seconds = match command {
        HostCommand::Freeze { .. }
        | HostCommand::StopPrimary { .. }
        | HostCommand::Disarm { .. }
        | HostCommand::Rearm { .. } => 10,
        HostCommand::ReloadInstance { .. } | HostCommand::DropSlot { .. } => 15,
        HostCommand::Follow { .. }
        | HostCommand::KillInstance { .. }
        | HostCommand::CreateDatabase { .. }
        | HostCommand::BaseBackup { .. }
        | HostCommand::Promote { .. }
        | HostCommand::StopBriefly { .. } => 60,
        HostCommand::CreateInstance { .. }
        | HostCommand::StartInstance { .. }
        | HostCommand::StartAgain { .. }
        | HostCommand::StopInstance { .. }
        | HostCommand::Thaw { .. }
        | HostCommand::RemoveInstance { .. } => 300,
        HostCommand::PatchStandby { .. } => 600,
        HostCommand::Checkpoint { .. }
        | HostCommand::Rejoin { .. }
        | HostCommand::HandOverArchive { .. }
        | HostCommand::AddRelease { .. }
        | HostCommand::RemoveRelease { .. } => 3_600,
    };
    Duration::from_secs(seconds) + MARGIN
}

fn query_patience(query: &HostQuery) -> Duration {
    match query {
        HostQuery::Received { wait_ms, .. } => Duration::from_millis(*wait_ms) + MARGIN,
        HostQuery::Mark { .. } => MARGIN,
        // These walk a data directory.
        HostQuery::Room { .. }
        | HostQuery::Facts { .. }
        | HostQuery::Usage { .. }
        | HostQuery::Observe { .. } => MARGIN * 6,
        // This runs programs.
        HostQuery::DryStart { .. } => MARGIN * 6,
        HostQuery::Activity { .. }
        | HostQuery::FailoverSlots { .. }
        | HostQuery::Settings { .. }
        | HostQuery::Releases
        | HostQuery::Instances => MARGIN * 2,
    }
}

#[async_trait]
impl Hosts for AgentClient {
    async fn command(&self, _: HostId, envelope: &Envelope) -> Result<Outcome, HostError> {
        self.ask("/command", envelope, patience(&envelope.command))
            .await
    }

    async fn query(&self, _: HostId, query: &HostQuery) -> Result<Answer, HostError> {
        self.ask("/query", query, query_patience(query)).await
    }
}
