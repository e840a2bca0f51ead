//! A throw-away PostgreSQL server for tests, and standbys of it: made by `initdb`, reached by unix socket and by TCP
//! with a password, gone without a trace when dropped.
//!
//! It is deliberately not the product's way to run a server: a fixture that shared its code could
//! not bear witness against it.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, chown, geteuid};
use thiserror::Error;
use tokio::time::Instant;
use tokio_postgres::NoTls;

use crate::abandoned;

const START_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const PREFIX: &str = "pg-";
const LOG: &str = "server.log";

#[derive(Debug, Error)]
pub enum Error {
    #[error("make a directory for a throw-away server")]
    Directory { source: std::io::Error },
    #[error("find the user `postgres`, because no server runs as root")]
    NoUser,
    #[error("find a free port")]
    Port { source: std::io::Error },
    #[error("run `{program}`")]
    Run {
        program: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error("make a cluster by `{program}`, which said: {said}")]
    Cluster { program: Utf8PathBuf, said: String },
    #[error("see the server accept connections within {} s, its log: {log}", START_WITHIN.as_secs())]
    NotReady { log: String },
    #[error("see the server run, it ended: {log}")]
    Ended { log: String },
}

/// A running server. Dropping it stops the server at once and removes its files.
pub struct ThrowAway {
    // Before `root`: the server must be gone before its files are.
    server: RunningServer,
    root: tempfile::TempDir,
    port: u16,
    password: String,
    // Last: until then nobody else clears away.
    _owner: abandoned::Owner,
}

impl ThrowAway {
    /// Makes and starts a server of the release in `bin_dir`; `settings` override the fixture's own.
    pub async fn start(bin_dir: &Utf8Path, settings: &[(&str, &str)]) -> Result<Self, Error> {
        let owner = Owner::choose()?;
        let root = owner.directory()?;
        let password = format!("{:032x}", rand::random::<u128>());
        initdb(bin_dir, &utf8(root.path()), &owner, &password)?;
        Self::run(bin_dir, settings, &owner, root, password).await
    }

    /// Makes and starts a streaming standby of this server.
    pub async fn standby(
        &self,
        bin_dir: &Utf8Path,
        settings: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let owner = Owner::choose()?;
        let root = owner.directory()?;
        basebackup(bin_dir, &utf8(root.path()), &owner, self)?;
        Self::run(bin_dir, settings, &owner, root, self.password.clone()).await
    }

    async fn run(
        bin_dir: &Utf8Path,
        settings: &[(&str, &str)],
        owner: &Owner,
        root: tempfile::TempDir,
        password: String,
    ) -> Result<Self, Error> {
        let home = utf8(root.path());
        let owned = abandoned::Owner::of(&home).map_err(|source| Error::Directory { source })?;
        let port = free_port()?;
        configure(&home, port, settings).map_err(|source| Error::Directory { source })?;
        let child = start(bin_dir, &home, owner)?;
        let mut started = Self {
            server: RunningServer(child),
            root,
            port,
            password,
            _owner: owned,
        };
        started.wait_until_ready().await?;
        Ok(started)
    }

    /// Stops it fast and launches it again on the same data. Does not wait until it is ready.
    pub fn restart(&mut self, bin_dir: &Utf8Path) -> Result<(), Error> {
        let failed = |source| Error::Directory { source };
        kill(self.pid(), Signal::SIGINT).map_err(|errno| failed(errno.into()))?;
        self.server.0.wait().map_err(failed)?;
        self.server.0 = start(bin_dir, &self.socket_dir(), &Owner::choose()?)?;
        Ok(())
    }

    /// A connection string by TCP, with a password, as an application has it.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// A direct connection by unix socket, as a superuser.
    pub fn direct(&self, database: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(self.socket_dir())
            .port(self.port)
            .user("postgres")
            .dbname(database);
        config
    }

    pub fn socket_dir(&self) -> Utf8PathBuf {
        utf8(self.root.path())
    }

    pub fn data_dir(&self) -> Utf8PathBuf {
        self.socket_dir().join("data")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the postmaster.
    pub fn pid(&self) -> Pid {
        self.server.pid()
    }

    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if self.direct("postgres").connect(NoTls).await.is_ok() {
                return Ok(());
            }
            if matches!(self.server.0.try_wait(), Ok(Some(_))) {
                return Err(Error::Ended { log: self.log() });
            }
            if Instant::now() > deadline {
                return Err(Error::NotReady { log: self.log() });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.socket_dir().join(LOG)).unwrap_or_default()
    }
}

/// The postmaster; it does not outlive this.
struct RunningServer(Child);

impl RunningServer {
    fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // A test may have ended it, and its process id may be another's by now.
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // Immediate shutdown: the postmaster itself kills what is left of its children after 5 s. A
        // frozen one must thaw to obey. If a signal fails, the process is gone already.
        let _ = kill(self.pid(), Signal::SIGQUIT);
        let _ = kill(self.pid(), Signal::SIGCONT);
        let _ = self.0.wait();
    }
}

/// Whom the server runs as: us, or `postgres` when we are root.
struct Owner(Option<User>);

impl Owner {
    fn choose() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        match User::from_name("postgres") {
            Ok(Some(user)) => Ok(Self(Some(user))),
            _ => Err(Error::NoUser),
        }
    }

    /// A directory directly under `/tmp`: the path of a unix socket has little room.
    fn directory(&self) -> Result<tempfile::TempDir, Error> {
        abandoned::clear_away(PREFIX);
        let failed = |source| Error::Directory { source };
        let mode = fs::Permissions::from_mode(0o755);
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(mode)
            .tempdir_in("/tmp");
        let directory = directory.map_err(failed)?;
        if let Some(user) = &self.0 {
            let chowned = chown(directory.path(), Some(user.uid), Some(user.gid));
            chowned.map_err(|errno| failed(errno.into()))?;
        }
        Ok(directory)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the fixture starts servers by itself, so that it can judge the code that does"
    )]
    fn command(&self, program: &Utf8Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = &self.0 {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
            .current_dir("/tmp")
            .stdin(Stdio::null())
            .env("LC_ALL", "C.UTF-8");
        command
    }
}

fn initdb(bin_dir: &Utf8Path, home: &Utf8Path, owner: &Owner, password: &str) -> Result<(), Error> {
    let failed = |source| Error::Directory { source };
    let secret = home.join("password");
    fs::write(&secret, password).map_err(failed)?;
    let program = bin_dir.join("initdb");
    let made = owner
        .command(&program)
        .args([
            "--no-sync",
            "--no-instructions",
            "--username=postgres",
            "--encoding=UTF8",
        ])
        .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
        .arg(format!("--pwfile={secret}"))
        .arg("-D")
        .arg(home.join("data"))
        .output();
    fs::remove_file(&secret).map_err(failed)?;
    judge(program, made)
}

fn basebackup(
    bin_dir: &Utf8Path,
    home: &Utf8Path,
    owner: &Owner,
    primary: &ThrowAway,
) -> Result<(), Error> {
    let program = bin_dir.join("pg_basebackup");
    let made = owner
        .command(&program)
        .args([
            "--no-sync",
            "--checkpoint=fast",
            "--wal-method=stream",
            "--write-recovery-conf",
        ])
        .arg(format!("--host={}", primary.socket_dir()))
        .arg(format!("--port={}", primary.port))
        .arg("--username=postgres")
        .arg("-D")
        .arg(home.join("data"))
        .output();
    judge(program, made)
}

fn judge(program: Utf8PathBuf, made: std::io::Result<Output>) -> Result<(), Error> {
    match made {
        Err(source) => Err(Error::Run { program, source }),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(Error::Cluster { program, said })
        }
    }
}

fn configure(home: &Utf8Path, port: u16, settings: &[(&str, &str)]) -> std::io::Result<()> {
    let own = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{home}'\n\
         max_connections = 200\nshared_buffers = '32MB'\n"
    );
    let quote =
        |(name, value): &(&str, &str)| format!("{name} = '{}'\n", value.replace('\'', "''"));
    let lines = own + &settings.iter().map(quote).collect::<Vec<_>>().concat();
    // Read last, so it wins; a base backup has written how to reach the primary there.
    let path = home.join("data/postgresql.auto.conf");
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    file.write_all(lines.as_bytes())
}

fn start(bin_dir: &Utf8Path, home: &Utf8Path, owner: &Owner) -> Result<Child, Error> {
    let failed = |source| Error::Directory { source };
    let log = fs::File::create(home.join(LOG)).map_err(failed)?;
    let program = bin_dir.join("postgres");
    let child = owner
        .command(&program)
        .arg("-D")
        .arg(home.join("data"))
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .spawn();
    child.map_err(|source| Error::Run { program, source })
}

/// Free now; between this and the server's start somebody else may take it, which is rare enough.
fn free_port() -> Result<u16, Error> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| Error::Port { source })
}

fn utf8(path: &std::path::Path) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(path.to_owned()).expect("made by us, in ASCII")
}
