//! Which commands were begun, what came of them, and the highest fence seen for each instance.
//!
//! A file of lines that is only appended to, and rewritten when it has grown. What must not be
//! lost is the fence, so a line that raises it is on disk before anything is done. An outcome that
//! is lost costs nothing but doing an idempotent command again.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use upkeep_domain::host_command::{CommandId, Fence, HostError, Outcome};
use upkeep_domain::id::InstanceId;

use crate::durable;

/// Outcomes that are remembered: many times what workflows under way could ask for again.
const OUTCOMES_MAX: usize = 2_000;
const LINES_MAX: usize = 3 * OUTCOMES_MAX;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("read the journal `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("write to the journal `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Rewrite(#[from] durable::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "line")]
enum Line {
    Fence {
        instance: InstanceId,
        fence: Fence,
    },
    Ended {
        id: CommandId,
        result: Result<Outcome, HostError>,
    },
}

#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    lines: usize,
    fences: HashMap<InstanceId, Fence>,
    outcomes: HashMap<CommandId, Result<Outcome, HostError>>,
    oldest_first: VecDeque<CommandId>,
}

impl Journal {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => {
                return Err(Error::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let mut journal = Self {
            path: path.to_owned(),
            file: appendable(path)?,
            lines: 0,
            fences: HashMap::new(),
            outcomes: HashMap::new(),
            oldest_first: VecDeque::new(),
        };
        // A crash can cut off the last line only: nothing was done on its word.
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .for_each(|l| journal.learn(l));
        journal.rewrite()?;
        Ok(journal)
    }

    /// What came of the command, if it ended.
    pub(crate) fn outcome(&self, id: &CommandId) -> Option<Result<Outcome, HostError>> {
        self.outcomes.get(id).cloned()
    }

    /// Refuses a fence below the highest seen, and remembers a higher one for good.
    pub(crate) fn admit(
        &mut self,
        instance: InstanceId,
        fence: Fence,
    ) -> Result<Result<(), HostError>, Error> {
        let seen = self.fences.get(&instance).copied().unwrap_or_default();
        if fence < seen {
            return Ok(Err(HostError::Stale { sent: fence, seen }));
        }
        if fence > seen {
            self.append(Line::Fence { instance, fence })?;
            self.file
                .sync_data()
                .map_err(|source| self.write_error(source))?;
        }
        Ok(Ok(()))
    }

    pub(crate) fn ended(
        &mut self,
        id: CommandId,
        result: Result<Outcome, HostError>,
    ) -> Result<(), Error> {
        self.append(Line::Ended { id, result })?;
        if self.lines > LINES_MAX {
            self.rewrite()
        } else {
            Ok(())
        }
    }

    fn learn(&mut self, line: Line) {
        self.lines += 1;
        match line {
            Line::Fence { instance, fence } => {
                let seen = self.fences.entry(instance).or_default();
                *seen = fence.max(*seen);
            }
            Line::Ended { id, result } => {
                if self.outcomes.insert(id.clone(), result).is_none() {
                    self.oldest_first.push_back(id);
                }
                while self.oldest_first.len() > OUTCOMES_MAX {
                    self.oldest_first
                        .pop_front()
                        .map(|oldest| self.outcomes.remove(&oldest));
                }
            }
        }
    }

    fn append(&mut self, line: Line) -> Result<(), Error> {
        let written = to_line(&line).and_then(|text| self.file.write_all(&text));
        written.map_err(|source| self.write_error(source))?;
        self.learn(line);
        Ok(())
    }

    fn rewrite(&mut self) -> Result<(), Error> {
        let fences = self.fences.iter();
        let fences = fences.map(|(&instance, &fence)| Line::Fence { instance, fence });
        let ended = self.oldest_first.iter().filter_map(|id| {
            let result = self.outcomes.get(id)?.clone();
            Some(Line::Ended {
                id: id.clone(),
                result,
            })
        });
        let (mut text, mut lines) = (Vec::new(), 0);
        for line in fences.chain(ended) {
            text.extend(to_line(&line).map_err(|source| self.write_error(source))?);
            lines += 1;
        }
        durable::write(&self.path, &text, 0o600, None)?;
        self.file = appendable(&self.path)?;
        self.lines = lines;
        Ok(())
    }

    fn write_error(&self, source: io::Error) -> Error {
        Error::Write {
            path: self.path.clone(),
            source,
        }
    }
}

fn to_line(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

fn appendable(path: &Path) -> Result<File, Error> {
    let opened = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path);
    opened.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use upkeep_domain::id::WorkflowId;
    use uuid::Uuid;

    fn id(part: u8) -> CommandId {
        CommandId {
            workflow: WorkflowId(Uuid::nil()),
            step: "fence".to_owned(),
            visit: 1,
            part,
        }
    }

    #[test]
    fn fences_and_outcomes_survive_a_restart_and_a_cut_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let instance = InstanceId(Uuid::from_u128(7));
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.admit(instance, Fence(5)).unwrap(), Ok(()));
        journal.ended(id(0), Ok(Outcome::Done)).unwrap();
        journal
            .file
            .write_all(b"{\"line\":\"ended\",\"id\":")
            .unwrap();

        let mut journal = Journal::open(&path).unwrap();
        let stale = HostError::Stale {
            sent: Fence(4),
            seen: Fence(5),
        };
        assert_eq!(journal.admit(instance, Fence(4)).unwrap(), Err(stale));
        assert_eq!(journal.admit(instance, Fence(5)).unwrap(), Ok(()));
        assert_eq!(journal.outcome(&id(0)), Some(Ok(Outcome::Done)));
        assert_eq!(journal.outcome(&id(1)), None);
    }
}
