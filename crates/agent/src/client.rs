//! The other end of the socket: agents as the engine sees them. Whatever keeps an answer from
//! arriving is *unknown*, never *failed*.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{Answer, Envelope, HostCommand, HostError, HostQuery, Outcome};
use upkeep_domain::id::HostId;
use upkeep_domain::ports::Hosts;
use upkeep_domain::refusal::Refusal;

/// What is allowed on top of the time a command may take inside the agent.
const MARGIN: Duration = Duration::from_secs(5);

/// One kept connection to each host's agent.
#[derive(Clone, Debug)]
pub struct AgentClient {
    hosts: HashMap<HostId, reqwest::Client>,
}

#[derive(Debug, thiserror::Error)]
#[error("prepare connections to the agent at `{}`", socket.display())]
pub struct Error {
    socket: PathBuf,
    source: reqwest::Error,
}

impl AgentClient {
    /// Each host with the path of its agent's socket. Connects when first used.
    pub fn new(hosts: impl IntoIterator<Item = (HostId, PathBuf)>) -> Result<Self, Error> {
        let client = |(host, socket): (HostId, PathBuf)| {
            let built = reqwest::Client::builder()
                .unix_socket(socket.clone())
                .no_proxy()
                .build();
            let client = built.map_err(|source| Error { socket, source })?;
            Ok((host, client))
        };
        Ok(Self {
            hosts: hosts.into_iter().map(client).collect::<Result<_, _>>()?,
        })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        host: HostId,
        path: &str,
        body: &impl Serialize,
        deadline: Duration,
    ) -> Result<T, HostError> {
        let client = self.hosts.get(&host).ok_or_else(|| HostError::Refused {
            refusal: Refusal::not_found(format!("there is no agent for host `{host}`")),
        })?;
        let request = client
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
        HostCommand::Freeze { .. } | HostCommand::Disarm { .. } | HostCommand::Rearm { .. } => 10,
        HostCommand::ReloadInstance { .. } | HostCommand::DropSlot { .. } => 15,
        HostCommand::KillInstance { .. }
        | HostCommand::CreateDatabase { .. }
        | HostCommand::BaseBackup { .. }
        | HostCommand::Promote { .. } => 60,
        HostCommand::CreateInstance { .. }
        | HostCommand::StartInstance { .. }
        | HostCommand::StopInstance { .. }
        | HostCommand::Thaw { .. }
        | HostCommand::RemoveInstance { .. } => 300,
        HostCommand::Checkpoint { .. }
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
        HostQuery::Room { .. } | HostQuery::Usage { .. } | HostQuery::Observe { .. } => MARGIN * 6,
        HostQuery::Activity { .. } | HostQuery::Releases | HostQuery::Instances => MARGIN * 2,
    }
}

#[async_trait]
impl Hosts for AgentClient {
    async fn command(&self, host: HostId, envelope: &Envelope) -> Result<Outcome, HostError> {
        self.ask(host, "/command", envelope, patience(&envelope.command))
            .await
    }

    async fn query(&self, host: HostId, query: &HostQuery) -> Result<Answer, HostError> {
        self.ask(host, "/query", query, query_patience(query)).await
    }
}
