//! What an old primary had not archived when it was fenced is archived by the server that took over.
//!
//! A standby takes for granted that its primary archives what it sends, and marks it as done. A fenced
//! primary never will: without this, a restore to a moment before the switch would find a gap.
//!
//! <https://www.postgresql.org/docs/current/continuous-archiving.html>

use std::io;
use std::path::Path;

use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::refusal::RefusalKind;

use crate::command::RunAs;
use crate::durable;
use crate::fault::{OrFailed, refused};
use crate::host::{Host, Instance};

const WAL: &str = "pg_wal";
const STATUS: &str = "pg_wal/archive_status";
const WAITS: &str = ".ready";
const DONE: &str = ".done";

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Durable(#[from] durable::Error),
    #[error("read `{path}`")]
    Read { path: String, source: io::Error },
}

pub(crate) async fn hand_over(
    host: &Host,
    from: &Instance,
    to: &Instance,
) -> Result<Outcome, HostError> {
    if from.server().is_some() {
        let sentence = format!("instance `{}` runs, and archives by itself", from.id);
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    let (from, to) = (from.places.data(), to.places.data());
    let run_as = host.run_as.clone();
    let moved = move || {
        let waiting = waiting(&from)?;
        for name in &waiting {
            take(&from, &to, name, run_as.as_ref())?;
        }
        Ok::<_, Error>(waiting.len() as u32)
    };
    let files = tokio::task::spawn_blocking(moved).await.or_failed()?;
    Ok(Outcome::HandedOver {
        files: files.or_failed()?,
    })
}

/// The oldest first, as an archiver would take them.
fn waiting(data: &Path) -> Result<Vec<String>, Error> {
    let folder = data.join(STATUS);
    let unreadable = |source| Error::Read {
        path: folder.display().to_string(),
        source,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        names.extend(
            name.to_str()
                .and_then(|name| name.strip_suffix(WAITS))
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// Marked first: what waits for the archiver is not recycled, so that what is looked for stays.
fn take(from: &Path, to: &Path, name: &str, run_as: Option<&RunAs>) -> Result<(), Error> {
    let status = |data: &Path, word: &str| data.join(STATUS).join(format!("{name}{word}"));
    let source = from.join(WAL).join(name);
    let contents = match std::fs::read(&source) {
        Ok(contents) => contents,
        // A mark that outlived its file; an archiver passes it over, too.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(durable::remove(&status(from, WAITS))?);
        }
        Err(error) => {
            return Err(Error::Read {
                path: source.display().to_string(),
                source: error,
            });
        }
    };
    durable::write(&status(to, WAITS), b"", 0o600, run_as)?;
    durable::remove(&status(to, DONE))?;
    let target = to.join(WAL).join(name);
    if !target.exists() {
        durable::write(&target, &contents, 0o600, run_as)?;
    }
    durable::write(&status(from, DONE), b"", 0o600, run_as)?;
    Ok(durable::remove(&status(from, WAITS))?)
}
