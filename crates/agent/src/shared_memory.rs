//! Shared memory that a killed server leaves behind, and that only its next start would clear.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use nix::libc::{IPC_RMID, c_int, shmctl};

use crate::process::Process;

/// Where PostgreSQL's POSIX segments appear.
const POSIX_PREFIX: &str = "/dev/shm/PostgreSQL.";
const SYSTEM_V_PREFIX: &str = "/SYSV";

/// What the processes of one server have mapped.
#[derive(Debug, Default)]
pub(crate) struct SharedMemory {
    posix: BTreeSet<PathBuf>,
    system_v: BTreeSet<c_int>,
}

impl SharedMemory {
    /// Looked up while the processes are still there: not every one has mapped all of it.
    pub(crate) fn of(processes: &[Process]) -> Self {
        let mut found = Self::default();
        for process in processes {
            let maps = fs::read_to_string(format!("/proc/{}/maps", process.pid));
            maps.unwrap_or_default()
                .lines()
                .for_each(|line| found.add(line));
        }
        found
    }

    /// `address perms offset dev inode path`; of a System V segment the inode is its id.
    fn add(&mut self, line: &str) {
        let mut fields = line.split_whitespace().skip(4);
        let (Some(inode), Some(path)) = (fields.next(), fields.next()) else {
            return;
        };
        if path.starts_with(POSIX_PREFIX) {
            self.posix.insert(path.into());
        } else if path.starts_with(SYSTEM_V_PREFIX) {
            self.system_v.extend(inode.parse::<c_int>());
        }
    }

    /// After the server and all its processes are gone.
    pub(crate) fn release(self) {
        for path in self.posix {
            if let Err(error) = fs::remove_file(&path) {
                tracing::debug!(path = %path.display(), %error, "shared memory not removed");
            }
        }
        for id in self.system_v {
            // SAFETY: removing a segment by its id touches no memory of ours; nobody uses it.
            let removed = unsafe { shmctl(id, IPC_RMID, std::ptr::null_mut()) };
            tracing::debug!(id, removed, "shared memory segment of a dead server");
        }
    }
}
