//! A client of somebody else's that speaks the replication protocol: one of PostgreSQL's own programs, at a
//! primary past the endpoint.

use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use upkeep_testkit::releases_source::installed_dir;

use crate::direct::primary;
use crate::world::World;

/// Ended when it is dropped.
pub(crate) struct Outsider(Child);

impl Outsider {
    #[expect(
        clippy::disallowed_methods,
        reason = "somebody else's program, for a test's own set-up"
    )]
    pub(crate) async fn start(
        world: &World,
        program: &str,
        dbname: &str,
        arguments: &[&str],
    ) -> Self {
        let there = primary(world).await;
        let (host, port) = (&there.socket_dir, there.port);
        let dbname = format!(
            "host={host} port={port} user=upkeep dbname={dbname} application_name=outsider"
        );
        let child = Command::new(installed_dir("15").join("bin").join(program))
            .args(["--no-loop", "-d", &dbname])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// It does not listen any more, and its connection stays.
    pub(crate) fn stand_still(&self) {
        kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGSTOP).unwrap();
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
