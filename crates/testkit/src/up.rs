//! The real `upkeep` binary, running all its roles in a directory of its own under `/tmp`: for the
//! demo, the benchmarks and the tests that kill it.
//!
//! It knows the product only from outside: its command line, its files and its processes. Whatever
//! happens, nothing of it is left: [`Up::down`] asks the product to leave and checks that it did;
//! dropping kills what is still there; and if we are killed ourselves, the next one clears away.

mod cli;
mod crash;
mod error;
mod maintenance;
mod processes;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, chown};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::abandoned::{self, Owner};
pub use cli::{Ended, Running};
pub use error::Error;
pub use maintenance::{AppliedSetting, Felt, MaintenanceRun};
pub use processes::{RunningInstance, StandingStill, programs_in};

const READY_WITHIN: Duration = Duration::from_secs(90);
const DOWN_WITHIN: Duration = Duration::from_secs(60);
const GONE_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const PREFIX: &str = "up-";
/// The program's name, whatever folder it was built in.
const PROGRAM: &str = "upkeep";
const LOG: &str = "up.log";
const LOG_LINES: usize = 30;

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `upkeep` program.
    pub binary: Utf8PathBuf,
    /// The user for instances; `None` leaves the choice to the product.
    pub run_as: Option<String>,
    /// How long old instances are kept; `None` leaves that to the product too.
    pub retire_grace: Option<Duration>,
    /// How long a standby is watched on a new release; `None` leaves that to the product.
    pub soak: Option<Duration>,
    /// How often it is looked for what is due; `None` leaves that to the product.
    pub plan_every: Option<Duration>,
    /// How notices reach people; `None` leaves that to the product.
    pub notices: Option<Utf8PathBuf>,
    /// Mail address of the owner.
    pub owner: Option<String>,
    /// Primaries are stopped instead of frozen.
    pub clean_stop: bool,
    /// Host and port in connection strings, if not where the endpoint listens.
    pub advertise: Option<String>,
    /// Who runs Upkeep itself, if not we. Only root can ask for somebody else.
    pub as_user: Option<User>,
    /// A PostgreSQL that keeps the product's state, in place of its own.
    pub state_url: Option<String>,
}

impl Options {
    pub fn new(binary: impl Into<Utf8PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            run_as: None,
            retire_grace: None,
            soak: None,
            plan_every: None,
            notices: None,
            owner: None,
            clean_stop: false,
            advertise: None,
            as_user: None,
            state_url: None,
        }
    }

    /// Leaves `dir` to the user who runs Upkeep, with a program of their own: they may not be able
    /// to reach ours.
    fn settle_in(&mut self, dir: &Utf8Path) -> Result<(), Error> {
        let Some(user) = &self.as_user else {
            return Ok(());
        };
        let failed = |source| Error::Directory { source };
        let program = dir.join(PROGRAM);
        fs::copy(&self.binary, &program).map_err(failed)?;
        chown(dir.as_std_path(), Some(user.uid), Some(user.gid))
            .map_err(|errno| failed(errno.into()))?;
        fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(failed)?;
        self.binary = program;
        Ok(())
    }
}

/// The roles that `upkeep up` runs as processes of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Server,
    Agent,
    Endpoint,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Agent => "agent",
            Self::Endpoint => "endpoint",
        }
    }
}

/// What `upkeep up` says once it is ready.
#[derive(Debug, Clone, Deserialize)]
struct Ready {
    url: String,
    endpoint: String,
    options: String,
}

/// A running Upkeep.
pub struct Up {
    options: Options,
    ports: Ports,
    ready: Ready,
    child: Child,
    // Its files go after its processes.
    dir: TempDir,
    // Last: until then nobody else clears away.
    owner: Option<Owner>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    api: u16,
    endpoint: u16,
}

/// A directory that every user can reach, with a short path: unix sockets have little room.
pub fn make_dir() -> Result<TempDir, Error> {
    abandoned::clear_away(PREFIX);
    let made = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in("/tmp");
    made.map_err(|source| Error::Directory { source })
}

impl Up {
    /// Starts everything in `dir` and waits until it is ready. `dir` is removed in the end.
    pub async fn start(dir: TempDir, mut options: Options) -> Result<Self, Error> {
        let owner = Owner::of(utf8(&dir)).map_err(|source| Error::Directory { source })?;
        options.settle_in(utf8(&dir))?;
        let ports = Ports {
            api: free_port()?,
            endpoint: free_port()?,
        };
        let child = spawn(utf8(&dir), &options, ports)?;
        // From here on the processes have an owner, who ends them if they do not get ready.
        let mut up = Self {
            options,
            ports,
            ready: Ready {
                url: String::new(),
                endpoint: String::new(),
                options: String::new(),
            },
            child,
            dir,
            owner: Some(owner),
        };
        up.wait_until_ready().await?;
        Ok(up)
    }

    /// Starts `upkeep up` anew in the same directory and on the same ports, after it was killed.
    pub async fn start_again(&mut self) -> Result<(), Error> {
        self.child = spawn(utf8(&self.dir), &self.options, self.ports)?;
        self.wait_until_ready().await
    }

    /// The same with other options.
    pub async fn start_again_with(
        &mut self,
        change: impl FnOnce(&mut Options),
    ) -> Result<(), Error> {
        change(&mut self.options);
        self.start_again().await
    }

    pub fn dir(&self) -> &Utf8Path {
        utf8(&self.dir)
    }

    /// Of the API.
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// Host and port that applications connect to.
    pub fn endpoint(&self) -> &str {
        &self.ready.endpoint
    }

    /// The options that hold, as it says itself.
    pub fn options(&self) -> &str {
        &self.ready.options
    }

    /// Of the PostgreSQL that keeps the product's state, if it is not the product's own.
    pub fn state_url(&self) -> Option<&str> {
        self.options.state_url.as_deref()
    }

    /// The last words of `upkeep up` and of each of its roles.
    pub fn log(&self) -> String {
        let mut files = vec![self.dir().join(LOG)];
        if let Ok(entries) = self.dir().join("log").read_dir_utf8() {
            files.extend(entries.filter_map(|entry| Some(entry.ok()?.into_path())));
        }
        files.iter().map(|file| last_words(file)).collect()
    }

    /// Process id of a role, as it wrote it down itself.
    pub fn pid(&self, role: Role) -> Result<Pid, Error> {
        let path = self.dir().join(format!("run/{}.pid", role.as_str()));
        let text = fs::read_to_string(&path).map_err(|source| Error::PidFile {
            path: path.clone(),
            source,
        })?;
        let number = text
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        number.map(Pid::from_raw).ok_or(Error::NoPid { path })
    }

    /// Kills one role without warning, as a crash would.
    pub fn crash(&self, role: Role) -> Result<(), Error> {
        let pid = self.pid(role)?;
        if !processes::belongs_to(pid, self.dir(), &self.options.binary) {
            return Err(Error::Stranger {
                role: role.as_str(),
                pid,
            });
        }
        kill(pid, Signal::SIGKILL).map_err(|source| Error::Kill { pid, source })
    }

    /// The PostgreSQL servers that run in the directory, the private one included.
    pub fn instances(&self) -> Vec<RunningInstance> {
        processes::instances(self.dir(), &self.options.binary)
    }

    /// Asks everything to stop, and checks that no process and no file is left.
    pub async fn down(mut self) -> Result<(), Error> {
        self.stop().await?;
        let path = self.dir().to_owned();
        drop(self);
        if path.exists() {
            return Err(Error::FilesLeft { path });
        }
        Ok(())
    }

    /// Asks everything to stop and leaves the files where they are; says where.
    pub async fn down_keeping_files(mut self) -> Result<Utf8PathBuf, Error> {
        self.stop().await?;
        self.dir.disable_cleanup(true);
        if let Some(owner) = self.owner.take() {
            owner
                .give_up()
                .map_err(|source| Error::Directory { source })?;
        }
        Ok(self.dir().to_owned())
    }

    async fn stop(&mut self) -> Result<(), Error> {
        let asked = timeout(DOWN_WITHIN, self.run(&["down"])).await;
        asked.map_err(|_| Error::Late {
            command: "down".to_owned(),
            limit_s: DOWN_WITHIN.as_secs(),
        })??;
        let _status = timeout(GONE_WITHIN, self.child.wait()).await;
        let deadline = Instant::now() + GONE_WITHIN;
        loop {
            let left = processes::of(self.dir(), &self.options.binary);
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::ProcessesLeft { left });
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let stdout = self.child.stdout.take();
        let mut lines = BufReader::new(stdout.expect("its output was asked for")).lines();
        let line = timeout(READY_WITHIN, lines.next_line()).await;
        let Ok(Ok(Some(line))) = line else {
            return Err(Error::NotReady { log: self.log() });
        };
        // What it says instead is why it is not ready, and stands in the log as well.
        let ready = serde_json::from_str(&line);
        self.ready = ready.map_err(|_| Error::NotReady { log: self.log() })?;
        // It may go on printing; a closed pipe would end it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(())
    }
}

/// Ends every process of the product, and every PostgreSQL server, that is at work in `dir`.
pub(crate) fn end_all_in(dir: &Utf8Path) {
    processes::end_all(dir, Utf8Path::new(PROGRAM));
}

impl Drop for Up {
    fn drop(&mut self) {
        // It starts its roles again when they die, so it goes first.
        let _ = self.child.start_kill();
        processes::end_all(utf8(&self.dir), &self.options.binary);
    }
}

fn spawn(dir: &Utf8Path, options: &Options, ports: Ports) -> Result<Child, Error> {
    let failed = |source| Error::Directory { source };
    let log = File::options()
        .create(true)
        .append(true)
        .open(dir.join(LOG))
        .map_err(failed)?;
    let mut command = upkeep(options, dir);
    command
        // Without such a file nothing ever crashes.
        .env("UPKEEP_CRASH_FILE", dir.join(crash::FILE))
        .args(["up", "--json", "--dir", dir.as_str()])
        .args(["--listen", &format!("127.0.0.1:{}", ports.api)])
        .args([
            "--endpoint-listen",
            &format!("127.0.0.1:{}", ports.endpoint),
        ])
        .stdout(Stdio::piped())
        .stderr(log)
        // Ctrl-C on the terminal is for us; we say goodbye to it in our own way.
        .process_group(0);
    if let Some(user) = &options.run_as {
        command.args(["--run-as", user]);
    }
    if let Some(address) = &options.advertise {
        command.args(["--advertise", address]);
    }
    if let Some(url) = &options.state_url {
        command.env("UPKEEP_STATE_URL", url);
    }
    if let Some(grace) = options.retire_grace {
        command.args(["--retire-grace-seconds", &grace.as_secs().to_string()]);
    }
    if let Some(file) = &options.notices {
        command.args(["--notices", file.as_str()]);
    }
    if let Some(owner) = &options.owner {
        command.args(["--owner", owner]);
    }
    if options.clean_stop {
        command.args(["--fence", "clean-stop"]);
    }
    if let Some(every) = options.plan_every {
        command.args(["--plan-every-seconds", &every.as_secs().to_string()]);
    }
    if let Some(soak) = options.soak {
        command.args(["--soak-seconds", &soak.as_secs().to_string()]);
    }
    command.spawn().map_err(|source| Error::Run {
        command: "up".to_owned(),
        source,
    })
}

/// The program, about to be told what to do in `dir`.
#[expect(
    clippy::disallowed_methods,
    reason = "the fixture starts the product from outside, as a person does"
)]
fn upkeep(options: &Options, dir: &Utf8Path) -> Command {
    let mut command = Command::new(&options.binary);
    command.env("UPKEEP_DIR", dir).stdin(Stdio::null());
    if let Some(user) = &options.as_user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        // Ours may be closed to them.
        command.current_dir(dir);
    }
    command
}

fn last_words(file: &Utf8Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    format!(
        "{}:\n{}\n",
        file.file_name().unwrap_or_default(),
        last.join("\n")
    )
}

/// Free now; between this and its use somebody else may take it, which is rare enough.
fn free_port() -> Result<u16, Error> {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| Error::Port { source })
}

fn utf8(dir: &TempDir) -> &Utf8Path {
    Utf8Path::from_path(dir.path()).expect("made by us, in ASCII")
}
