//! Ends this server with SIGKILL at a named step boundary, once: the crash tests' only hook.
//!
//! It does nothing unless `UPKEEP_CRASH_FILE` names a file that says, for example,
//! `changeover fence after_effect`. The file is removed first, so that the next server lives.

use nix::sys::signal::{Signal, raise};
use upkeep_engine::{Boundaries, Boundary};

pub(super) struct CrashFile {
    path: String,
}

impl CrashFile {
    pub(super) fn new(path: String) -> Self {
        Self { path }
    }
}

impl Boundaries for CrashFile {
    fn cross(&self, procedure: &str, step: &str, boundary: Boundary) {
        let Ok(wish) = std::fs::read_to_string(&self.path) else {
            return;
        };
        let here = match boundary {
            Boundary::BeforeEffect => "before_effect",
            Boundary::AfterEffect => "after_effect",
            Boundary::AfterCommit => "after_commit",
        };
        if wish.split_whitespace().eq([procedure, step, here])
            && std::fs::remove_file(&self.path).is_ok()
        {
            // As abrupt as a power cut is for a process: no destructor, no flush, no goodbye.
            let _ = raise(Signal::SIGKILL);
        }
    }
}
