//! Looks at the write-ahead log behind a position, in the files of a server that cannot write.
//!
//! What matters there are the ends of transactions: somebody may have been told of them. Anything
//! else (checkpoints, snapshots of what runs) only means that this server went further.
//! Commits that were never written to a file (`synchronous_commit = off`) are not seen; the server
//! promised nothing about them.

mod pages;
mod record;

use std::io;
use std::path::{Path, PathBuf};

use upkeep_domain::lsn::Lsn;

use crate::control_data::{self, ControlData};
use pages::Pages;
use record::Record;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Control(#[from] control_data::Error),
    #[error("read the write-ahead log `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("there is no segment of the write-ahead log for {position} in `{}`", dir.display())]
    NoSegment { dir: PathBuf, position: Lsn },
    #[error("{marker} is not where a record of this server's write-ahead log could begin")]
    NotAPosition { marker: Lsn },
}

/// What stands behind a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    pub records: u32,
    /// Commits and the like, of which somebody may know.
    pub transactions: u32,
    /// End of the last record.
    pub end: Lsn,
}

/// Reads from `marker`, where a record begins or will begin, to the last valid record.
pub fn behind(data: &Path, marker: Lsn) -> Result<Tail, Error> {
    let control = ControlData::read(data)?;
    let mut pages = Pages::new(data.join("pg_wal"), control.segment_bytes);
    pages.expect_segment(marker)?;
    let mut tail = Tail {
        records: 0,
        transactions: 0,
        end: marker.as_record_end(),
    };
    let (mut at, mut previous) = (pages::record_start(marker, control.segment_bytes), None);
    if !at.0.is_multiple_of(record::ALIGNMENT) {
        return Err(Error::NotAPosition { marker });
    }
    while let Some(record) = Record::read(&mut pages, at)? {
        let follows = match previous {
            Some(previous) => record.previous == previous,
            None => record.previous < at,
        };
        if !follows {
            break;
        }
        tail.records += 1;
        tail.transactions += u32::from(record.ends_a_transaction());
        tail.end = record.end;
        previous = Some(at);
        let next = if record.ends_its_segment() {
            Lsn(record.end.0.next_multiple_of(control.segment_bytes))
        } else {
            record.end
        };
        at = pages::record_start(next, control.segment_bytes);
    }
    Ok(tail)
}
