//! The command line of the product, run as a person or a script runs it: stdout is data, stderr is
//! talk, the exit status says whether it worked.

use std::process::Stdio;
use std::time::Duration;

use camino::Utf8Path;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Error, Options, Up, upkeep};

/// Building a replacement of a large database is the longest thing a command waits for.
const WITHIN: Duration = Duration::from_secs(900);

impl Up {
    /// Runs a client command to its end and gives back the object it printed.
    pub async fn json<T: DeserializeOwned>(&self, args: &[&str]) -> Result<T, Error> {
        // Behind `--` it would not be ours.
        let ours = args.iter().position(|arg| *arg == "--");
        let (ours, theirs) = args.split_at(ours.unwrap_or(args.len()));
        let args = [ours, &["--json"], theirs].concat();
        self.begin(&args)?.json().await
    }

    /// Runs a command whose output nobody needs.
    pub async fn run(&self, args: &[&str]) -> Result<(), Error> {
        self.begin(args)?.output().await.map(drop)
    }

    /// Runs a command to its end, whatever that is.
    pub async fn attempt(&self, args: &[&str]) -> Result<Ended, Error> {
        self.begin(args)?.ended().await
    }

    /// Starts a command and leaves it running; what it says can be heard meanwhile.
    pub fn begin(&self, args: &[&str]) -> Result<Running, Error> {
        Running::begin(&self.options, self.dir(), args)
    }
}

/// A command that runs. Dropping it kills it.
pub struct Running {
    name: String,
    child: Child,
    stdout: JoinHandle<Vec<String>>,
    stderr: JoinHandle<Vec<String>>,
    talk: UnboundedReceiver<String>,
}

impl Running {
    /// Starts a command in a directory where nothing may be running at all.
    pub fn begin(options: &Options, dir: &Utf8Path, args: &[&str]) -> Result<Self, Error> {
        let name = args.first().copied().unwrap_or_default().to_owned();
        let mut command = upkeep(options, dir);
        command
            .args(["--dir", dir.as_str()])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|source| Error::Run {
            command: name.clone(),
            source,
        })?;
        let (tell, talk) = unbounded_channel();
        let stderr = tokio::spawn(listen(child.stderr.take(), Some(tell)));
        let stdout = tokio::spawn(listen(child.stdout.take(), None));
        Ok(Self {
            name,
            child,
            stdout,
            stderr,
            talk,
        })
    }

    /// The next line of its talk; `None` when it has said everything.
    pub async fn heard(&mut self) -> Option<String> {
        self.talk.recv().await
    }

    /// Waits for the end and reads the object on the last line of its output.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let name = self.name.clone();
        let lines = self.output().await?;
        let last = lines.into_iter().rfind(|line| !line.trim().is_empty());
        let last = last.unwrap_or_default();
        serde_json::from_str(&last).map_err(|source| Error::Answer {
            command: name,
            said: last,
            source,
        })
    }

    /// Waits for the end, whatever it is.
    pub async fn ended(mut self) -> Result<Ended, Error> {
        let ended = timeout(WITHIN, self.child.wait()).await;
        let ended = ended.map_err(|_| Error::Late {
            command: self.name.clone(),
            limit_s: WITHIN.as_secs(),
        })?;
        let status = ended.map_err(|source| Error::Run {
            command: self.name,
            source,
        })?;
        Ok(Ended {
            code: status.code(),
            stdout: self.stdout.await.unwrap_or_default().join("\n"),
            stderr: self.stderr.await.unwrap_or_default().join("\n"),
        })
    }

    async fn output(self) -> Result<Vec<String>, Error> {
        let command = self.name.clone();
        let ended = self.ended().await?;
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        if ended.code == Some(0) {
            return Ok(lines(&ended.stdout));
        }
        let said = [lines(&ended.stderr), lines(&ended.stdout)].concat();
        Err(Error::Refused {
            command,
            said: said.join(" / "),
        })
    }
}

/// How a command ended, for those who want to know more than whether it worked.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit status; nothing if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

async fn listen(
    stream: Option<impl AsyncRead + Unpin>,
    tell: Option<UnboundedSender<String>>,
) -> Vec<String> {
    let mut heard = Vec::new();
    let Some(stream) = stream else { return heard };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(tell) = &tell {
            // Nobody may be listening any more.
            let _ = tell.send(line.clone());
        }
        heard.push(line);
    }
    heard
}
