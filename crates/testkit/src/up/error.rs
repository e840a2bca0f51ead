//! Why the product could not be run from outside.

use camino::Utf8PathBuf;
use nix::unistd::Pid;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error("make a directory for a run of upkeep")]
    Directory { source: std::io::Error },
    #[error("find a free port")]
    Port { source: std::io::Error },
    #[error("run `upkeep {command}`")]
    Run {
        command: String,
        source: std::io::Error,
    },
    #[error("see `upkeep up` ready, its log: {log}")]
    NotReady { log: String },
    #[error("`upkeep {command}` refused: {said}")]
    Refused { command: String, said: String },
    #[error("see `upkeep {command}` end within {limit_s} s")]
    Late { command: String, limit_s: u64 },
    #[error("understand the answer of `upkeep {command}`: `{said}`")]
    Answer {
        command: String,
        said: String,
        source: serde_json::Error,
    },
    #[error("read the process id in `{path}`")]
    PidFile {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error("find a process id in `{path}`")]
    NoPid { path: Utf8PathBuf },
    #[error("say in `{path}` where the server shall crash")]
    CrashFile {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error("kill the {role}: process {pid} is not ours")]
    Stranger { role: &'static str, pid: Pid },
    #[error("kill process {pid}")]
    Kill { pid: Pid, source: nix::Error },
    #[error("`upkeep down` left processes behind: {left:?}")]
    ProcessesLeft { left: Vec<Pid> },
    #[error("files are left in `{path}`")]
    FilesLeft { path: Utf8PathBuf },
}
