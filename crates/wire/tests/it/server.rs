//! A throw-away PostgreSQL on a unix socket. The only file here that starts processes.
//!
//! `postgres` gets in by trust, everybody else by SCRAM. PostgreSQL refuses to run as root, so under
//! root the server runs as the system user `postgres`.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const BIN: &str = "/usr/lib/postgresql/15/bin";
const HBA: &str = "local all postgres trust\nlocal all all scram-sha-256\n";

pub(crate) struct Server {
    dir: TempDir,
    owner: Option<(u32, u32)>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("upkeep-wire-")
            .tempdir_in("/tmp")
            .unwrap();
        let owner = server_user();
        if let Some((uid, gid)) = owner {
            chown(dir.path(), Some(uid), Some(gid)).unwrap();
        }
        let server = Self { dir, owner };
        let data = server.data();
        server.run(
            "initdb",
            &["-U", "postgres", "--no-sync", "--locale=C", "-E", "UTF8"],
        );
        fs::write(data.join("pg_hba.conf"), HBA).unwrap();
        let options = format!(
            "-c listen_addresses= -c fsync=off -c unix_socket_directories={}",
            server.dir.path().display()
        );
        let log = server.dir.path().join("log");
        let log = log.to_str().unwrap();
        server.run("pg_ctl", &["start", "--wait", "-l", log, "-o", &options]);
        server
    }

    pub(crate) fn connect(&self) -> UnixStream {
        UnixStream::connect(self.dir.path().join(".s.PGSQL.5432")).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.try_run(program, arguments), "{program} {arguments:?}");
    }

    #[expect(clippy::disallowed_methods, reason = "the fixture of this test binary")]
    fn try_run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(Path::new(BIN).join(program));
        command.arg("-D").arg(self.data()).args(arguments);
        command.current_dir(self.dir.path());
        // A daemon that kept our pipes would keep the test runner waiting.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command.stderr(Stdio::null());
        command.status().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.try_run("pg_ctl", &["stop", "--wait", "-m", "immediate"]);
    }
}

/// Whom to run the server as, if we are root.
fn server_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let entry = users.lines().find(|line| line.starts_with("postgres:"));
    let mut ids = entry.expect("system user postgres").split(':').skip(2);
    let mut id = || ids.next().unwrap().parse().unwrap();
    Some((id(), id()))
}
