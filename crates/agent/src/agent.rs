//! The agent: takes commands and queries, and sees to it that each is done once and in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use upkeep_domain::host_command::{
    Answer, CommandId, Envelope, Fence, HostCommand, HostError, HostQuery, Outcome,
};
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::ports::Hosts;
use upkeep_domain::refusal::{Refusal, RefusalKind};

use crate::command::{RunAs, UserRefused};
use crate::copy::Wish;
use crate::fault::{IntoError, OrFailed, failed, refused};
use crate::host::{Host, Instance, locked};
use crate::journal::{self, Journal};
use crate::layout::{self, Layout};
use crate::marks;
use crate::record::Record;
use crate::releases::{self, Releases};
use crate::{
    activity, archive, copy, create, database, disarm, dry_start, facts, follow, freeze, mark,
    observe, patch, promote, rejoin, remove, restart, room, silence, slot, start,
};

/// Where an agent keeps everything, and whose rights its instances have.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    pub dir: PathBuf,
    /// Only of meaning when we are root; `postgres` unless said otherwise.
    pub run_as_user: Option<String>,
    pub host: HostId,
    /// How primaries are fenced here.
    pub fence: FenceMeans,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Layout(#[from] layout::Error),
    #[error(transparent)]
    User(#[from] UserRefused),
    #[error(transparent)]
    Releases(#[from] releases::Error),
    #[error(transparent)]
    Journal(#[from] journal::Error),
    #[error(transparent)]
    Marks(#[from] marks::Error),
    #[error("list the instances")]
    List(#[source] std::io::Error),
}

/// Cheap to clone: all clones are one agent.
#[derive(Clone)]
pub struct Agent {
    id: HostId,
    host: Arc<Host>,
}

impl Agent {
    /// Picks up what the agent before us left: instances that run, and such as are frozen.
    #[expect(
        clippy::unused_async,
        reason = "watching needs the runtime of whoever opens it"
    )]
    pub async fn open(config: AgentConfig) -> Result<Self, OpenError> {
        let run_as = RunAs::resolve(config.run_as_user.as_deref())?;
        let layout = Layout::open(&config.dir)?;
        let releases = Releases::open(layout.releases(), run_as.clone())?;
        let journal = Journal::open(&layout.journal())?;
        let host = Arc::new(Host::new(layout, run_as, config.fence, releases, journal));
        for id in host.layout.all().map_err(OpenError::List)? {
            pick_up(&host, &host.instance(id))?;
        }
        Ok(Self {
            id: config.host,
            host,
        })
    }

    /// Does it, or tells what came of it when it was done before.
    ///
    /// Goes on to the end when this future is dropped.
    pub async fn command(&self, envelope: Envelope) -> Result<Outcome, HostError> {
        let host = self.host.clone();
        tokio::spawn(async move { once(&host, envelope).await })
            .await
            .or_failed()?
    }

    pub async fn query(&self, query: HostQuery) -> Result<Answer, HostError> {
        // Not heard as speech: who only looks may be no controller any more.
        let of = |id: InstanceId| self.host.instance(id);
        match query {
            HostQuery::Observe { instance } => {
                let observation = observe::observe(&self.host, &of(instance)).await?;
                Ok(Answer::Observed {
                    observation: Box::new(observation),
                })
            }
            HostQuery::Mark { instance } => mark::mark(&of(instance)).await,
            HostQuery::Received {
                instance,
                lsn,
                wait_ms,
            } => mark::received(&of(instance), lsn, wait_ms).await,
            HostQuery::Activity { instance, dbname } => {
                activity::activity(&of(instance), &dbname).await
            }
            HostQuery::Facts {
                instance,
                dbname,
                target,
                detectors,
            } => {
                let wish = facts::Wish {
                    dbname,
                    target,
                    detectors,
                };
                facts::facts(&self.host, &of(instance), wish).await
            }
            HostQuery::FailoverSlots { instance } => slot::failover(&of(instance)).await,
            HostQuery::Usage { instance, dbname } => activity::usage(&of(instance), &dbname).await,
            HostQuery::DryStart { instance, release } => {
                dry_start::dry_start(&self.host, &of(instance), &release).await
            }
            HostQuery::Settings { instance, names } => {
                dry_start::settings(&of(instance), &names).await
            }
            HostQuery::Room { instance } => room::room(&self.host, &of(instance)),
            HostQuery::Releases => {
                let releases = self
                    .host
                    .releases
                    .list()
                    .or_failed()?
                    .iter()
                    .cloned()
                    .collect();
                Ok(Answer::Releases { releases })
            }
            HostQuery::Instances => {
                let instances = self.host.layout.all().or_failed()?;
                Ok(Answer::Instances { instances })
            }
        }
    }

    /// For shutting a host down: a fast stop without a workflow behind it.
    pub async fn stop(&self, id: InstanceId) -> Result<(), HostError> {
        let instance = self.host.instance(id);
        let _lane = instance.lane.lock().await;
        instance.hear();
        start::stop(&instance).await.map(drop)
    }
}

/// A frozen one is watched from here on; one that goes on was thawed, or never stopped.
fn pick_up(host: &Arc<Host>, instance: &Arc<Instance>) -> Result<(), OpenError> {
    if marks::frozen(&instance.places)?.is_none() {
        return Ok(());
    }
    if instance.is_frozen() {
        silence::watch(host, instance);
    } else if instance.server().is_some() {
        marks::clear_frozen(&instance.places)?;
    }
    Ok(())
}

/// Fence, effect and outcome in one critical section of the instance.
async fn once(host: &Arc<Host>, envelope: Envelope) -> Result<Outcome, HostError> {
    let Envelope { id, fence, command } = envelope;
    let Some(instance) = command.instance() else {
        if let Some(result) = locked(&host.journal).outcome(&id) {
            return result;
        }
        let result = on_releases(host, command).await;
        return written_down(host, id, result);
    };
    let instance = host.instance(instance);
    let _lane = instance.lane.lock().await;
    {
        let mut journal = locked(&host.journal);
        journal.admit(instance.id, fence, &id).or_failed()??;
        if let Some(result) = journal.outcome(&id) {
            return result;
        }
    }
    instance.hear();
    let result = on_instance(host, &instance, fence, command).await;
    instance.hear();
    written_down(host, id, result)
}

fn written_down(
    host: &Host,
    id: CommandId,
    result: Result<Outcome, HostError>,
) -> Result<Outcome, HostError> {
    if let Err(error) = &result {
        tracing::warn!(command = %id, %error, "command not done");
    }
    locked(&host.journal)
        .ended(id, result.clone())
        .or_failed()?;
    result
}

async fn on_instance(
    host: &Arc<Host>,
    instance: &Arc<Instance>,
    fence: Fence,
    command: HostCommand,
) -> Result<Outcome, HostError> {
    match command {
        HostCommand::CreateInstance {
            release, settings, ..
        } => create::create(host, instance, release, settings).await,
        HostCommand::StartInstance { .. } => start::start(host, instance).await,
        HostCommand::StopInstance { .. } => start::stop(instance).await,
        HostCommand::ReloadInstance { .. } => start::reload(host, instance),
        HostCommand::CreateDatabase {
            dbname,
            role,
            verifier,
            ..
        } => database::create(instance, &dbname, &role, &verifier).await,
        HostCommand::BaseBackup {
            release,
            settings,
            source,
            source_address,
            slot,
            takes_over,
            set_like,
            ..
        } => {
            let wish = Wish {
                release,
                settings,
                source,
                source_address,
                slot,
                takes_over,
                set_like: set_like.map(|other| host.instance(other)),
            };
            copy::begin(host, instance, wish).await
        }
        HostCommand::PatchStandby { release, .. } => patch::patch(host, instance, &release).await,
        HostCommand::Rejoin {
            release,
            settings,
            upstream,
            upstream_address,
            slot,
            ..
        } => {
            let wish = rejoin::Wish {
                release,
                settings,
                upstream,
                upstream_address,
                slot,
            };
            rejoin::rejoin(host, instance, wish).await
        }
        HostCommand::Follow {
            upstream,
            upstream_address,
            slot,
            ..
        } => {
            let wish = follow::Wish {
                upstream,
                upstream_address,
                slot,
            };
            follow::follow(host, instance, wish).await
        }
        HostCommand::DropSlot { slot, .. } => slot::drop(instance, &slot).await,
        HostCommand::Checkpoint { times, .. } => slot::checkpoint(instance, times).await,
        HostCommand::Freeze {
            marker, silence_ms, ..
        } => freeze::freeze(host, instance, marker, silence_ms).await,
        HostCommand::StopPrimary { within_ms, .. } => {
            start::stop_primary(instance, Duration::from_millis(within_ms)).await
        }
        HostCommand::Thaw { .. } => freeze::thaw(host, instance).await,
        HostCommand::Disarm { .. } => disarm::disarm(host, instance, fence),
        HostCommand::Rearm { .. } => disarm::rearm(instance),
        HostCommand::Promote { .. } => promote::promote(host, instance).await,
        HostCommand::KillInstance { .. } => freeze::kill(instance).await,
        HostCommand::HandOverArchive { to, .. } => {
            archive::hand_over(host, instance, &host.instance(to)).await
        }
        HostCommand::StopBriefly { .. } => restart::stop(instance).await,
        HostCommand::StartAgain { release, .. } => restart::start(host, instance, release).await,
        HostCommand::RemoveInstance { .. } => remove::remove(instance).await,
        HostCommand::AddRelease { .. } | HostCommand::RemoveRelease { .. } => {
            Err(failed("a command on releases names no instance"))
        }
    }
}

async fn on_releases(host: &Host, command: HostCommand) -> Result<Outcome, HostError> {
    match command {
        HostCommand::AddRelease { source } => {
            let release = host.releases.add(source).await.map_err(not_changed)?;
            Ok(Outcome::ReleaseAdded {
                release: Box::new(release),
            })
        }
        HostCommand::RemoveRelease { name, in_use } => {
            let mut in_use: std::collections::BTreeSet<_> = in_use.into_iter().collect();
            for id in host.layout.all().or_failed()? {
                let record = Record::read(&host.instance(id).places).or_failed()?;
                in_use.extend(record.map(|record| record.release));
            }
            host.releases
                .remove(&name, &in_use)
                .await
                .map_err(not_changed)?;
            Ok(Outcome::Done)
        }
        _ => Err(failed("a command without an instance is about releases")),
    }
}

/// The store of releases changes wholly or not at all.
fn not_changed(error: releases::Error) -> HostError {
    use upkeep_domain::error_chain::ErrorChain;
    let kind = match &error {
        releases::Error::NotFound(_) => RefusalKind::NotFound,
        releases::Error::Exists { .. } | releases::Error::InUse { .. } => RefusalKind::Conflict,
        releases::Error::Busy { .. } => RefusalKind::Busy,
        _ => RefusalKind::Invalid,
    };
    refused(kind, ErrorChain(&error).to_string())
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
        if host == self.id {
            return Ok(());
        }
        let sentence = format!("this is host `{}`, not `{host}`", self.id);
        Err(Refusal::not_found(sentence).into_error())
    }
}
