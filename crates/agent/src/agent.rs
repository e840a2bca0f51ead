//! The agent: takes commands and queries, and sees to it that each is done once and in order.

use std::path::PathBuf;

use async_trait::async_trait;
use upkeep_domain::host_command::{Answer, Envelope, HostError, HostQuery, Outcome};
use upkeep_domain::id::HostId;
use upkeep_domain::ports::Hosts;
use upkeep_domain::refusal::{Refusal, RefusalKind};

/// Where an agent keeps everything, and whose rights its instances have.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    pub dir: PathBuf,
    /// Only of meaning when we are root; `postgres` unless said otherwise.
    pub run_as_user: Option<String>,
    pub host: HostId,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("use `{}` for instances", path.display())]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Cheap to clone: all clones are one agent.
#[derive(Clone)]
pub struct Agent {
    host: HostId,
}

impl Agent {
    /// Picks up what the agent before us left: instances that run, and such as are frozen.
    pub async fn open(config: AgentConfig) -> Result<Self, OpenError> {
        Ok(Self { host: config.host })
    }

    /// Does it, or tells what came of it when it was done before.
    ///
    /// Goes on to the end when this future is dropped.
    pub async fn command(&self, _envelope: Envelope) -> Result<Outcome, HostError> {
        Err(refused())
    }

    pub async fn query(&self, _query: HostQuery) -> Result<Answer, HostError> {
        Err(refused())
    }
}

fn refused() -> HostError {
    HostError::Refused {
        refusal: Refusal::new(RefusalKind::Unavailable, "the agent is being built"),
    }
}

/// For one program that is both controller and agent.
#[async_trait]
impl Hosts for Agent {
    async fn command(&self, host: HostId, envelope: &Envelope) -> Result<Outcome, HostError> {
        self.is_meant(host)?;
        Agent::command(self, envelope.clone()).await
    }

    async fn query(&self, host: HostId, query: &HostQuery) -> Result<Answer, HostError> {
        self.is_meant(host)?;
        Agent::query(self, query.clone()).await
    }
}

impl Agent {
    fn is_meant(&self, host: HostId) -> Result<(), HostError> {
        if host == self.host {
            return Ok(());
        }
        let sentence = format!("this is host `{}`, not `{host}`", self.host);
        Err(HostError::Refused {
            refusal: Refusal::not_found(sentence),
        })
    }
}
