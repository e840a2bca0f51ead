//! Which commands were begun, what came of them, and the highest fence seen for each instance.
//!
//! A file of lines that is only appended to, and rewritten when it has grown. What must not be
//! lost is the fence, so a line that raises it is on disk before anything is done. An outcome that
//! is lost costs nothing but doing an idempotent command again. Which visit spoke last is not written
//! down: what was sent to an agent before this one reaches nobody any more.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use upkeep_domain::host_command::{CommandId, Fence, HostError, Outcome};
use upkeep_domain::id::{InstanceId, WorkflowId};
use upkeep_domain::refusal::RefusalKind;

use crate::durable;
use crate::fault::refused;

/// Outcomes that are remembered: many times what workflows under way could ask for again.
const OUTCOMES_MAX: usize = 2_000;
const LINES_MAX: usize = 3 * OUTCOMES_MAX;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("read the journal `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("write to the journal `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("understand line {line} of the journal `{}`", path.display())]
    Broken {
        path: PathBuf,
        line: usize,
        source: serde_json::Error,
    },
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

/// The latest visit of the workflow that commands under a fence.
#[derive(Debug)]
struct LastVisit {
    fence: Fence,
    workflow: WorkflowId,
    visit: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    Yes,
    No,
}

#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes up to the end of the last whole line.
    length: u64,
    lines: usize,
    fences: HashMap<InstanceId, Fence>,
    visits: HashMap<InstanceId, LastVisit>,
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
            length: 0,
            lines: 0,
            fences: HashMap::new(),
            visits: HashMap::new(),
            outcomes: HashMap::new(),
            oldest_first: VecDeque::new(),
        };
        let lines = text.lines().count();
        for (line, number) in text.lines().zip(1..) {
            match serde_json::from_str(line) {
                Ok(line) => journal.learn(line),
                // A crash can cut off the last one only: nothing was done on its word.
                Err(_) if number == lines => {}
                Err(source) => {
                    return Err(Error::Broken {
                        path: journal.path,
                        line: number,
                        source,
                    });
                }
            }
        }
        journal.rewrite()?;
        Ok(journal)
    }

    /// What came of the command, if it ended.
    pub(crate) fn outcome(&self, id: &CommandId) -> Option<Result<Outcome, HostError>> {
        self.outcomes.get(id).cloned()
    }

    /// Refuses a fence below the highest seen, and remembers a higher one for good. Under the same
    /// fence, what an earlier visit of a workflow sent may arrive late: it must not act after a later
    /// one.
    pub(crate) fn admit(
        &mut self,
        instance: InstanceId,
        fence: Fence,
        id: &CommandId,
    ) -> Result<Result<(), HostError>, Error> {
        let seen = self.fences.get(&instance).copied().unwrap_or_default();
        if fence < seen {
            return Ok(Err(HostError::Stale { sent: fence, seen }));
        }
        if fence > seen {
            self.append(Line::Fence { instance, fence }, Flush::Yes)?;
        }
        Ok(self.admit_visit(instance, fence, id))
    }

    fn admit_visit(
        &mut self,
        instance: InstanceId,
        fence: Fence,
        id: &CommandId,
    ) -> Result<(), HostError> {
        let spoke = LastVisit {
            fence,
            workflow: id.workflow,
            visit: id.visit,
        };
        match self.visits.get_mut(&instance) {
            Some(last) if last.fence != fence || last.workflow != id.workflow => *last = spoke,
            Some(last) if last.visit > id.visit => {
                let sentence = format!(
                    "`{id}` comes too late: visit {} has spoken already",
                    last.visit
                );
                return Err(refused(RefusalKind::Conflict, sentence));
            }
            Some(last) => last.visit = id.visit,
            None => {
                self.visits.insert(instance, spoke);
            }
        }
        Ok(())
    }

    pub(crate) fn ended(
        &mut self,
        id: CommandId,
        result: Result<Outcome, HostError>,
    ) -> Result<(), Error> {
        self.append(Line::Ended { id, result }, Flush::No)?;
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

    /// What could not be written is not learned either.
    fn append(&mut self, line: Line, flush: Flush) -> Result<(), Error> {
        let written = to_line(&line).and_then(|text| self.put_at_end(&text, flush));
        written.map_err(|source| self.write_error(source))?;
        self.learn(line);
        Ok(())
    }

    fn put_at_end(&mut self, text: &[u8], flush: Flush) -> io::Result<()> {
        self.cut_off_half_a_line()?;
        let mut put = self.file.write_all(text);
        if put.is_ok() && flush == Flush::Yes {
            put = self.file.sync_data();
        }
        match put {
            Ok(()) => self.length += text.len() as u64,
            // Should this fail as well, the next line is not put behind it.
            Err(_) => self.cut_off_half_a_line()?,
        }
        put
    }

    fn cut_off_half_a_line(&self) -> io::Result<()> {
        if self.file.metadata()?.len() == self.length {
            return Ok(());
        }
        self.file.set_len(self.length)
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
        (self.length, self.lines) = (text.len() as u64, lines);
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
        assert_eq!(journal.admit(instance, Fence(5), &id(0)).unwrap(), Ok(()));
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
        assert_eq!(
            journal.admit(instance, Fence(4), &id(0)).unwrap(),
            Err(stale)
        );
        assert_eq!(journal.admit(instance, Fence(5), &id(0)).unwrap(), Ok(()));
        assert_eq!(journal.outcome(&id(0)), Some(Ok(Outcome::Done)));
        assert_eq!(journal.outcome(&id(1)), None);
    }

    #[test]
    fn an_earlier_visit_does_not_act_after_a_later_one_of_its_claim() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal")).unwrap();
        let [instance, other] = [7, 8].map(|n| InstanceId(Uuid::from_u128(n)));
        let visit = |visit| CommandId { visit, ..id(0) };
        let mut admit = |instance, fence, id| journal.admit(instance, Fence(fence), &id).unwrap();
        assert_eq!(admit(instance, 5, visit(3)), Ok(()));
        // The same once more, and a later one.
        assert_eq!(admit(instance, 5, visit(3)), Ok(()));
        assert_eq!(admit(instance, 5, visit(9)), Ok(()));
        let late = admit(instance, 5, visit(8)).unwrap_err();
        assert!(late.to_string().contains("visit 9 has spoken"), "{late}");
        // At another instance, and by whoever claims it next.
        assert_eq!(admit(other, 5, visit(8)), Ok(()));
        assert_eq!(admit(instance, 6, visit(8)), Ok(()));
    }

    #[test]
    fn half_a_line_that_could_not_be_written_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.file.write_all(b"{\"line\":").unwrap();
        journal.ended(id(0), Ok(Outcome::Done)).unwrap();
        journal.ended(id(1), Ok(Outcome::Done)).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.outcome(&id(0)), Some(Ok(Outcome::Done)));
        assert_eq!(journal.outcome(&id(1)), Some(Ok(Outcome::Done)));
    }

    #[test]
    fn a_fence_that_is_not_on_disk_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let instance = InstanceId(Uuid::from_u128(7));
        let mut journal = Journal::open(&path).unwrap();
        let writable = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        assert!(journal.admit(instance, Fence(5), &id(0)).is_err());
        journal.file = writable;
        assert_eq!(journal.admit(instance, Fence(4), &id(0)).unwrap(), Ok(()));
    }

    #[test]
    fn a_broken_line_among_others_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.ended(id(0), Ok(Outcome::Done)).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{{\n{whole}")).unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
