//! One host with an agent and real servers, gone when the test ends, however it ends.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};
use upkeep_agent::{Agent, AgentConfig};
use upkeep_domain::host_command::{
    Answer, CommandId, Envelope, Fence, HostCommand, HostError, HostQuery, Outcome,
};
use upkeep_domain::id::{HostId, InstanceId, WorkflowId};
use upkeep_domain::instance::{Address, BackupProgress, FenceMeans, InstanceSettings, Observation};
use upkeep_domain::lsn::Lsn;
use upkeep_domain::release::{AddFrom, AddRelease, ReleaseName};
use upkeep_testkit::wait;
use uuid::Uuid;

pub(crate) const INSTALLED: &str = "/usr/lib/postgresql/15";
pub(crate) const FENCE: Fence = Fence(7);
pub(crate) const SLOT: &str = "replacement";
pub(crate) const SETTINGS: InstanceSettings = InstanceSettings {
    max_connections: 20,
    shared_buffers_mb: 16,
    wal_keep_size_mb: 64,
    effective_cache_size_mb: None,
    work_mem_mb: None,
};
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) agent: Agent,
    config: AgentConfig,
    dir: TempDir,
}

impl World {
    /// With the installed release.
    pub(crate) async fn fenced_by(fence: FenceMeans) -> (Self, ReleaseName) {
        let dir = tempfile::Builder::new()
            .prefix("upk")
            .tempdir_in("/tmp")
            .unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o711)).unwrap();
        let host = HostId(Uuid::new_v4());
        let config = AgentConfig {
            dir: dir.path().join("a"),
            run_as_user: None,
            host,
            fence,
        };
        let agent = Agent::open(config.clone()).await.unwrap();
        let world = Self { agent, config, dir };
        let from = AddFrom::System {
            dir: INSTALLED.into(),
        };
        let source = AddRelease { name: None, from };
        let Outcome::ReleaseAdded { release } =
            world.done(HostCommand::AddRelease { source }).await
        else {
            panic!("no release added");
        };
        (world, release.name)
    }

    /// A running primary.
    pub(crate) async fn with_primary() -> (Self, ReleaseName, InstanceId) {
        Self::with_primary_fenced_by(FenceMeans::default()).await
    }

    pub(crate) async fn with_primary_fenced_by(
        fence: FenceMeans,
    ) -> (Self, ReleaseName, InstanceId) {
        let (world, release) = Self::fenced_by(fence).await;
        let instance = new_instance();
        let settings = SETTINGS;
        world
            .done(HostCommand::CreateInstance {
                instance,
                release: release.clone(),
                settings,
            })
            .await;
        world.done(HostCommand::StartInstance { instance }).await;
        (world, release, instance)
    }

    /// A copy of `source` that streams from it.
    pub(crate) async fn standby_of(&self, source: InstanceId, release: ReleaseName) -> InstanceId {
        let instance = new_instance();
        self.done(self.copy_of(source, instance, release)).await;
        self.wait_until(instance, "the copy is complete", |seen| {
            matches!(seen.backup, Some(BackupProgress::Done { .. }))
        })
        .await;
        self.done(HostCommand::StartInstance { instance }).await;
        self.wait_until(instance, "it streams", |seen| seen.streaming == Some(true))
            .await;
        instance
    }

    pub(crate) fn copy_of(
        &self,
        source: InstanceId,
        instance: InstanceId,
        release: ReleaseName,
    ) -> HostCommand {
        let (source_address, slot) = (self.address(source), SLOT.to_owned());
        HostCommand::BaseBackup {
            instance,
            release,
            settings: SETTINGS,
            source,
            source_address,
            slot,
            takes_over: true,
            set_like: None,
        }
    }

    pub(crate) fn host(&self) -> HostId {
        self.config.host
    }

    /// As after a restart of the agent: nothing of the one before is used any more.
    pub(crate) async fn with_a_new_agent(mut self) -> Self {
        self.agent = Agent::open(self.config.clone()).await.unwrap();
        self
    }

    pub(crate) async fn send(&self, command: HostCommand) -> Result<Outcome, HostError> {
        self.agent.command(envelope(command)).await
    }

    pub(crate) async fn done(&self, command: HostCommand) -> Outcome {
        let what = format!("{command:?}");
        self.send(command)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    pub(crate) async fn see(&self, instance: InstanceId) -> Observation {
        match self
            .agent
            .query(HostQuery::Observe { instance })
            .await
            .unwrap()
        {
            Answer::Observed { observation } => *observation,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn wait_until(
        &self,
        instance: InstanceId,
        what: &str,
        holds: impl Fn(&Observation) -> bool,
    ) -> Observation {
        let look = async || {
            let seen = self.see(instance).await;
            if holds(&seen) { Ok(seen) } else { Err(seen) }
        };
        wait::wait_to_see(what, PATIENCE, look).await
    }

    pub(crate) async fn mark(&self, instance: InstanceId) -> Lsn {
        match self
            .agent
            .query(HostQuery::Mark { instance })
            .await
            .unwrap()
        {
            Answer::Marked { lsn, .. } => lsn,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn received(&self, instance: InstanceId, lsn: Lsn) -> bool {
        let query = HostQuery::Received {
            instance,
            lsn,
            wait_ms: 5_000,
        };
        match self.agent.query(query).await.unwrap() {
            Answer::Received { received, .. } => received,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn address(&self, instance: InstanceId) -> Address {
        let digits = instance.0.simple().to_string();
        let directory = self
            .config
            .dir
            .join("s")
            .join(&digits[24..])
            .display()
            .to_string();
        Address::Unix {
            directory,
            port: 5432,
        }
    }

    pub(crate) fn data(&self, instance: InstanceId) -> PathBuf {
        self.config
            .dir
            .join("instances")
            .join(instance.to_string())
            .join("data")
    }

    pub(crate) fn log(&self, instance: InstanceId) -> String {
        std::fs::read_to_string(self.data(instance).with_file_name("log")).unwrap()
    }

    /// A client that comes past the endpoint.
    pub(crate) async fn client(&self, instance: InstanceId) -> Client {
        let address = self.address(instance);
        let config = format!("host={} user=upkeep dbname=postgres", address.host());
        let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Its server's pid and those of the server's children.
    pub(crate) fn processes(&self, instance: InstanceId) -> Vec<i32> {
        working_in(&self.data(instance))
    }

    pub(crate) fn server_pid(&self, instance: InstanceId) -> i32 {
        let text = std::fs::read_to_string(self.data(instance).join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let instances = std::fs::read_dir(self.dir.path().join("a/instances"));
        for instance in instances.into_iter().flatten().flatten() {
            end(&instance.path().join("data"));
        }
    }
}

/// At once, with the server's own way first: it then leaves no shared memory behind.
fn end(data: &std::path::Path) {
    let signal = |signal| {
        for pid in working_in(data) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    };
    signal(Signal::SIGQUIT);
    signal(Signal::SIGCONT);
    for _ in 0..500 {
        if working_in(data).is_empty() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(4));
    }
    signal(Signal::SIGKILL);
}

/// Processes that are not dead and have this working directory.
fn working_in(dir: &std::path::Path) -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir))
        .filter(|&pid| state(pid) != Some('Z'))
        .collect()
}

/// Field 3 of `/proc/<pid>/stat`.
pub(crate) fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

pub(crate) fn new_instance() -> InstanceId {
    InstanceId(Uuid::now_v7())
}

/// A command of its own: never sent before.
pub(crate) fn envelope(command: HostCommand) -> Envelope {
    let workflow = WorkflowId(Uuid::new_v4());
    let id = CommandId {
        workflow,
        step: "test".to_owned(),
        visit: 1,
        part: 0,
    };
    Envelope {
        id,
        fence: FENCE,
        command,
    }
}

pub(crate) async fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    wait_until(what, async || holds()).await;
}

pub(crate) async fn wait_until(what: &str, holds: impl AsyncFnMut() -> bool) {
    wait::wait_until(what, PATIENCE, holds).await;
}
