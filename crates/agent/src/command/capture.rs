//! Follows one process to its end and keeps a bounded part of what it says.
//!
//! Dropping it early kills the process and its whole group: nothing is left running unseen.

use std::collections::VecDeque;
use std::io;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};

use super::Output;

pub(super) struct Running {
    child: Child,
    input: Vec<u8>,
    limit: usize,
}

impl Running {
    /// `child` leads a process group of its own and both its outputs are pipes.
    pub(super) fn new(child: Child, input: Vec<u8>, limit: usize) -> Self {
        Self {
            child,
            input,
            limit,
        }
    }

    /// Reads everything, so that the process never waits for us, and keeps what fits.
    pub(super) async fn ended(mut self) -> io::Result<Output> {
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let stdin = self.child.stdin.take();
        let (input, limit) = (std::mem::take(&mut self.input), self.limit);
        let ((), status, stdout, stderr) = tokio::try_join!(
            feed(stdin, input),
            self.child.wait(),
            beginning(stdout, limit),
            end(stderr, limit)
        )?;
        Ok(Output {
            status,
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The id is there only while the process is not reaped: it cannot be somebody else's yet.
        let Some(leader) = self.child.id().and_then(|id| i32::try_from(id).ok()) else {
            return;
        };
        if let Err(errno) = killpg(Pid::from_raw(leader), Signal::SIGKILL) {
            tracing::warn!(leader, %errno, "process group not killed");
        }
    }
}

/// A program may end without having read it all; its exit status says whether that was well.
async fn feed(to: Option<ChildStdin>, input: Vec<u8>) -> io::Result<()> {
    let Some(mut to) = to else { return Ok(()) };
    match to.write_all(&input).await {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

async fn beginning(from: Option<impl AsyncRead + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    each_chunk(from, |chunk| {
        let room = limit.saturating_sub(kept.len()).min(chunk.len());
        kept.extend_from_slice(&chunk[..room]);
    })
    .await?;
    Ok(kept)
}

async fn end(from: Option<impl AsyncRead + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut kept = VecDeque::new();
    each_chunk(from, |chunk| {
        kept.extend(chunk);
        let surplus = kept.len().saturating_sub(limit);
        kept.drain(..surplus);
    })
    .await?;
    Ok(kept.into())
}

async fn each_chunk(
    from: Option<impl AsyncRead + Unpin>,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let Some(mut from) = from else { return Ok(()) };
    // On the heap: a future carries its locals wherever it moves.
    let mut buffer = vec![0; 8192];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            count => take(&buffer[..count]),
        }
    }
}
