//! Throw-away PostgreSQL servers: the only place in these tests that starts processes.
//!
//! Each server has its own directory under `/tmp` (paths of unix sockets are short), listens on a unix
//! socket only, and is killed and removed when dropped.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};
use tempfile::TempDir;
use tokio_postgres::NoTls;
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{Address, Identity, TOKEN_SETTING};
use upkeep_domain::route::Target;
use uuid::Uuid;

use crate::world::wait_until;

const BIN: &str = "/usr/lib/postgresql/15/bin";
pub(crate) const PORT: u16 = 5432;

const SETTINGS: &str = "
listen_addresses = ''
fsync = off
max_connections = 60
shared_buffers = 16MB
wal_level = replica
wal_keep_size = 64MB
autovacuum = off
password_encryption = scram-sha-256
log_min_messages = warning
";
const HBA: &str = "
local postgres upkeep_endpoint peer map=upkeep
local all upkeep_endpoint reject
local all postgres trust
local replication postgres trust
local all all scram-sha-256
";
const ROLES: &str = "
CREATE ROLE upkeep_endpoint LOGIN;
GRANT SELECT (rolname, rolpassword, rolvaliduntil, rolcanlogin) ON pg_authid TO upkeep_endpoint;
CREATE ROLE ann LOGIN PASSWORD 'secret';
CREATE ROLE helper;
GRANT helper TO ann;
CREATE ROLE zoe LOGIN PASSWORD 'secret';
CREATE ROLE bob NOLOGIN PASSWORD 'secret';
CREATE ROLE eve LOGIN PASSWORD 'secret' VALID UNTIL '2001-01-01';
CREATE ROLE lone LOGIN PASSWORD 'secret' CONNECTION LIMIT 0;
SET password_encryption = 'md5';
CREATE ROLE old LOGIN PASSWORD 'secret';
";

pub(crate) struct Server {
    folder: TempDir,
    process: Child,
    instance: InstanceId,
}

impl Server {
    /// A primary with a database `shop` of role `ann`, whose password is `secret`.
    pub(crate) async fn primary() -> Self {
        let template = template().await;
        let folder = new_folder();
        copy(&template, &folder.path().join("data"));
        Self::start(folder, 1).await
    }

    /// A standby that streams from this server.
    pub(crate) async fn standby(&self) -> Self {
        let folder = new_folder();
        let data = folder.path().join("data");
        let source = text(self.folder.path());
        run(
            "pg_basebackup",
            &[
                "-D",
                text(&data),
                "-h",
                source,
                "-U",
                "postgres",
                "-R",
                "-c",
                "fast",
                "-N",
            ],
        );
        Self::start(folder, 2).await
    }

    async fn start(folder: TempDir, number: u128) -> Self {
        let server = Self {
            process: postmaster(folder.path(), number),
            folder,
            instance: InstanceId(Uuid::from_u128(number)),
        };
        server.accepts_connections().await;
        server
    }

    /// Stops it, and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.stop();
        self.process = postmaster(self.folder.path(), self.instance.0.as_u128());
        self.accepts_connections().await;
    }

    async fn accepts_connections(&self) {
        wait_until(
            "the server accepts connections",
            Duration::from_secs(20),
            async || self.try_admin("postgres").await.is_some(),
        )
        .await;
    }

    pub(crate) fn address(&self) -> Address {
        Address::Unix {
            directory: text(self.folder.path()).to_owned(),
            port: PORT,
        }
    }

    pub(crate) async fn target(&self) -> Target {
        let admin = self.admin("postgres").await;
        let sql = "SELECT system_identifier FROM pg_control_system()";
        let system_identifier: i64 = admin.query_one(sql, &[]).await.unwrap().get(0);
        Target {
            instance: self.instance,
            address: self.address(),
            identity: Identity {
                system_identifier: system_identifier.cast_unsigned(),
                token: token(self.instance.0.as_u128()),
            },
            auth_role: "upkeep_endpoint".to_owned(),
        }
    }

    /// A superuser's session that does not come through the endpoint.
    pub(crate) async fn admin(&self, dbname: &str) -> tokio_postgres::Client {
        self.try_admin(dbname).await.unwrap()
    }

    async fn try_admin(&self, dbname: &str) -> Option<tokio_postgres::Client> {
        let config = format!(
            "host={} user=postgres dbname={dbname}",
            text(self.folder.path())
        );
        let (client, connection) = tokio_postgres::connect(&config, NoTls).await.ok()?;
        tokio::spawn(connection);
        Some(client)
    }

    /// All its processes end at once, with a warning at most.
    pub(crate) fn kill(&mut self) {
        self.end(Signal::SIGQUIT);
    }

    /// A fast stop: sessions are told, WAL is complete.
    pub(crate) fn stop(&mut self) {
        self.end(Signal::SIGINT);
    }

    /// Its processes stay, and do nothing any more.
    pub(crate) fn freeze(&self) {
        for process in self.processes() {
            kill(process, Signal::SIGSTOP).unwrap();
        }
    }

    /// The postmaster and its children.
    fn processes(&self) -> Vec<Pid> {
        let postmaster = self.process.id();
        let list = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = std::fs::read_to_string(list).unwrap_or_default();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        std::iter::once(postmaster.cast_signed())
            .chain(children)
            .map(Pid::from_raw)
            .collect()
    }

    fn end(&mut self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().cast_signed());
        let _ = kill(pid, signal);
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            for process in self.processes() {
                let _ = kill(process, Signal::SIGKILL);
            }
            let _ = self.process.wait();
        }
    }
}

fn postmaster(folder: &Path, number: u128) -> Child {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let sockets = format!("unix_socket_directories={}", text(folder));
    let port = PORT.to_string();
    program("postgres")
        .args(["-D", text(&folder.join("data")), "-p", &port])
        .args(["-c", &sockets])
        .args(["-c", &format!("{TOKEN_SETTING}={}", token(number))])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// A data directory to copy, made once and kept beside what is built. Whoever is first makes it.
async fn template() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (SETTINGS, HBA, ROLES).hash(&mut hasher);
    let kept =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("primary-{:x}", hasher.finish()));
    if !kept.exists() {
        let server = initialized().await;
        let ours = kept.with_extension(std::process::id().to_string());
        copy(&server.folder.path().join("data"), &ours);
        if std::fs::rename(&ours, &kept).is_err() {
            std::fs::remove_dir_all(&ours).unwrap();
        }
    }
    kept
}

/// A new cluster with its roles and database, stopped.
async fn initialized() -> Server {
    let folder = new_folder();
    let data = folder.path().join("data");
    let directory = ["-D", text(&data), "-U", "postgres", "-A", "trust", "-N"];
    run(
        "initdb",
        &[&directory[..], &["--locale=C.UTF-8", "-E", "UTF8"]].concat(),
    );
    append(&data.join("postgresql.conf"), SETTINGS);
    std::fs::write(data.join("pg_hba.conf"), HBA).unwrap();
    let me = User::from_uid(nix::unistd::getuid()).unwrap().unwrap().name;
    append(
        &data.join("pg_ident.conf"),
        &format!("upkeep {me} upkeep_endpoint\n"),
    );
    let mut server = Server::start(folder, 1).await;
    let admin = server.admin("postgres").await;
    admin.batch_execute(ROLES).await.unwrap();
    admin
        .batch_execute("CREATE DATABASE shop OWNER ann")
        .await
        .unwrap();
    server.stop();
    server
}

#[expect(
    clippy::disallowed_methods,
    reason = "the fixture is where these tests start processes"
)]
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .unwrap();
    assert!(status.success(), "copying {} failed", from.display());
}

fn new_folder() -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("upkeep-ep-")
        .tempdir_in("/tmp")
        .unwrap();
    if let Some(user) = server_user() {
        chown(
            folder.path(),
            Some(user.uid.as_raw()),
            Some(user.gid.as_raw()),
        )
        .unwrap();
    }
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    folder
}

/// PostgreSQL does not run as root.
fn server_user() -> Option<User> {
    let root = nix::unistd::getuid().is_root();
    root.then(|| User::from_name("postgres").unwrap().unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the fixture is where these tests start processes"
)]
fn program(name: &str) -> Command {
    let mut command = Command::new(format!("{BIN}/{name}"));
    if let Some(user) = server_user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// pgbench through the endpoint, as `ann`; answers with what it says at its end.
pub(crate) fn pgbench(endpoint: std::net::SocketAddr, arguments: &[&str]) -> String {
    let port = endpoint.port().to_string();
    let output = program("pgbench")
        .args(["-h", "127.0.0.1", "-p", &port, "-U", "ann"])
        .args(arguments)
        .arg("shop")
        .env("PGPASSWORD", "secret")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pgbench failed: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run(name: &str, arguments: &[&str]) {
    let output = program(name).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} failed: {said}");
}

/// Of the data directory, as the server says it.
fn token(number: u128) -> String {
    format!("directory-{number}")
}

fn append(path: &Path, lines: &str) {
    let before = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, before + lines).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
