//! The one place of the project that starts processes.
//!
//! A command has a clean environment, no input but what it is given, a deadline and a limit on what is kept of its
//! output. Arguments are visible to everybody on the host: nothing secret goes into them.
//! Two ways to run: to the end, with the output captured ([`Command::run`]), or as a server that
//! outlives us ([`Command::spawn_detached`]).

mod capture;
mod run_as;

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, getppid, setsid};
use tokio::process::Child;

use capture::Running;
pub use run_as::{RunAs, UserRefused};

const DEFAULT_DEADLINE: Duration = Duration::from_mins(1);
const DEFAULT_OUTPUT_LIMIT: usize = 1 << 20;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a command went wrong. [`Error::outcome_unknown`] tells failure from not knowing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("start `{program}`")]
    NotStarted { program: String, source: io::Error },
    #[error("open the log `{}` for `{program}`", path.display())]
    Log {
        program: String,
        path: PathBuf,
        source: io::Error,
    },
    #[error("`{program}` ended with {status}: {stderr}")]
    Failed {
        program: String,
        status: ExitStatus,
        /// The end of what it said.
        stderr: String,
    },
    #[error(
        "`{program}` had not ended after {after:?} and was killed; what it did until then is unknown"
    )]
    DeadlinePassed { program: String, after: Duration },
    #[error("lost sight of `{program}`; what it did is unknown")]
    Lost { program: String, source: io::Error },
}

impl Error {
    /// True if the command may have done its work, wholly or in part: look before repeating it.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::DeadlinePassed { .. } | Self::Lost { .. })
    }
}

/// What a command that ended has left.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    /// The beginning of it, up to the limit.
    pub stdout: String,
    /// The end of it, up to the limit: programs say last what went wrong.
    pub stderr: String,
}

/// A process to be started.
#[derive(Debug)]
pub struct Command {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    cwd: PathBuf,
    run_as: Option<RunAs>,
    deadline: Duration,
    output_limit: usize,
    die_with_parent: bool,
}

impl Command {
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            input: Vec::new(),
            // Ours may be closed to the user the process runs as.
            cwd: PathBuf::from("/"),
            run_as: None,
            deadline: DEFAULT_DEADLINE,
            output_limit: DEFAULT_OUTPUT_LIMIT,
            die_with_parent: false,
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.args.extend(args);
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let pair = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.env.push(pair);
        self
    }

    /// What it reads on standard input; not for a detached server.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    pub fn cwd(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cwd = dir.into();
        self
    }

    /// Gives up our privileges for those of this user, supplementary groups included.
    pub fn run_as(mut self, run_as: Option<RunAs>) -> Self {
        self.run_as = run_as;
        self
    }

    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// The kernel kills the process when we are gone: for helpers whose work nobody would pick up.
    ///
    /// "We" is the thread that starts it, so start it from a task of the runtime, whose threads
    /// live as long as it does, and not from a blocking one.
    pub fn die_with_parent(mut self) -> Self {
        self.die_with_parent = true;
        self
    }

    /// Runs to the end; anything but success is an error that says what the program said.
    pub async fn run(self) -> Result<Output, Error> {
        let program = self.name();
        let output = self.output().await?;
        if output.status.success() {
            return Ok(output);
        }
        Err(Error::Failed {
            program,
            status: output.status,
            stderr: last_words(&output),
        })
    }

    /// Runs to the end, whatever the exit status is.
    ///
    /// The end is when the process is gone and its outputs are closed: one that leaves a server
    /// behind is followed until the deadline. Servers are started with [`Command::spawn_detached`].
    pub async fn output(self) -> Result<Output, Error> {
        let program = self.name();
        let mut command = self.prepared();
        // A group of its own, so that at the deadline its children end with it.
        command.process_group(0).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if !self.input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let child = spawn(&mut command, &program)?;
        let running = Running::new(child, self.input, self.output_limit);
        match tokio::time::timeout(self.deadline, running.ended()).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(source)) => Err(Error::Lost { program, source }),
            Err(_) => Err(Error::DeadlinePassed {
                program,
                after: self.deadline,
            }),
        }
    }

    /// Starts a server in a session of its own that goes on when we end. What it prints is
    /// appended to `log`. We stay its parent: keep the child, or it is only reaped in passing.
    pub fn spawn_detached(self, log: &Path) -> Result<Child, Error> {
        let program = self.name();
        let opened = self.open_log(log).and_then(|out| {
            let err = out.try_clone()?;
            Ok((out, err))
        });
        let (out, err) = opened.map_err(|source| Error::Log {
            program: program.clone(),
            path: log.to_owned(),
            source,
        })?;
        let mut command = self.prepared();
        command.stdout(out).stderr(err);
        // SAFETY: between fork and exec only setsid is called, which is async-signal-safe.
        unsafe { command.pre_exec(|| Ok(setsid().map(drop)?)) };
        spawn(&mut command, &program)
    }

    fn open_log(&self, log: &Path) -> io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o640)
            .open(log)?;
        if let Some(user) = &self.run_as {
            std::os::unix::fs::fchown(&file, Some(user.uid), Some(user.gid))?;
        }
        Ok(file)
    }

    /// For messages: the path, never the arguments.
    fn name(&self) -> String {
        self.program.display().to_string()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    fn prepared(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.cwd)
            .stdin(Stdio::null());
        if let Some(user) = &self.run_as {
            // The standard library also empties the supplementary groups when root sets a uid.
            command.gid(user.gid).uid(user.uid);
        }
        if self.die_with_parent {
            let us = getpid();
            // SAFETY: between fork and exec only prctl and getppid are called, both
            // async-signal-safe. It comes after the change of user, which would reset it.
            unsafe { command.pre_exec(move || die_with(us)) };
        }
        command
    }
}

/// The parent may be gone before the kernel is asked to watch it.
fn die_with(parent: nix::unistd::Pid) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid() == parent {
        Ok(())
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn spawn(command: &mut tokio::process::Command, program: &str) -> Result<Child, Error> {
    let child = command.spawn().map_err(|source| Error::NotStarted {
        program: program.to_owned(),
        source,
    })?;
    tracing::debug!(program, pid = child.id(), "process started");
    Ok(child)
}

/// Short enough for one message; some programs complain on standard output.
fn last_words(output: &Output) -> String {
    const LONGEST: usize = 600;
    let said = match output.stderr.trim() {
        "" => output.stdout.trim(),
        stderr => stderr,
    };
    let start = said.ceil_char_boundary(said.len().saturating_sub(LONGEST));
    said[start..].to_owned()
}

#[cfg(test)]
mod tests;
