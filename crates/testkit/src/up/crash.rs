//! Ending parts of the product as a crash would: at a step boundary, one role, or everything.
//!
//! `upkeep up` starts again whatever ends. A test that wants to look at the time in between makes it
//! look away first.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Error, GONE_WITHIN, Role, Up, processes};

/// In the directory of `upkeep up`; the server reads it at every boundary.
pub(super) const FILE: &str = "crash";

impl Up {
    /// From now on the server ends with SIGKILL when it crosses this boundary of a step, once.
    pub fn arm_crash(&self, procedure: &str, step: &str, boundary: &str) -> Result<(), Error> {
        let file = self.dir().join(FILE);
        // Renamed into place: the server never reads half a wish.
        let draft = self.dir().join("crash.draft");
        fs::write(&draft, format!("{procedure} {step} {boundary}"))
            .and_then(|()| fs::rename(&draft, &file))
            .map_err(|source| Error::CrashFile { path: file, source })
    }

    /// Whether the boundary has not been crossed yet.
    pub fn crash_is_armed(&self) -> bool {
        self.dir().join(FILE).exists()
    }

    /// Takes the wish back.
    pub fn disarm_crash(&self) {
        // It may have come true meanwhile.
        let _ = fs::remove_file(self.dir().join(FILE));
    }

    /// `upkeep up` starts nothing again until it is told to look.
    pub fn look_away(&self) -> Result<(), Error> {
        self.signal_up(Signal::SIGSTOP)
    }

    pub fn look_again(&self) -> Result<(), Error> {
        self.signal_up(Signal::SIGCONT)
    }

    /// Kills `upkeep up` and every role at once, as a power cut would; PostgreSQL lives on.
    pub async fn crash_everything(&mut self) -> Result<(), Error> {
        self.signal_up(Signal::SIGKILL)?;
        for role in [Role::Server, Role::Agent, Role::Endpoint] {
            match self.crash(role) {
                // It may be dead already.
                Ok(()) | Err(Error::Stranger { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.reap_up().await
    }

    /// Kills `upkeep up` alone; the roles that it runs live on.
    pub async fn crash_up(&mut self) -> Result<(), Error> {
        self.signal_up(Signal::SIGKILL)?;
        self.reap_up().await
    }

    async fn reap_up(&mut self) -> Result<(), Error> {
        let reaped = tokio::time::timeout(GONE_WITHIN, self.child.wait()).await;
        reaped
            .map_err(|_| Error::Late {
                command: "up".to_owned(),
                limit_s: GONE_WITHIN.as_secs(),
            })?
            .map(drop)
            .map_err(|source| Error::Run {
                command: "up".to_owned(),
                source,
            })
    }

    /// Kills a PostgreSQL server's first process; its children notice by themselves.
    pub fn crash_instance(&self, pid: Pid) -> Result<(), Error> {
        if !processes::belongs_to(pid, self.dir(), &self.options.binary) {
            let role = "instance";
            return Err(Error::Stranger { role, pid });
        }
        kill(pid, Signal::SIGKILL).map_err(|source| Error::Kill { pid, source })
    }

    fn signal_up(&self, signal: Signal) -> Result<(), Error> {
        let gone = || Error::NoPid {
            path: self.dir().join("run/up.pid"),
        };
        let pid = Pid::from_raw(self.child.id().ok_or_else(gone)?.cast_signed());
        kill(pid, signal).map_err(|source| Error::Kill { pid, source })
    }
}
