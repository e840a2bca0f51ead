//! Reads `global/pg_control`: what a server says of itself when it does not run.
//!
//! The leading fields lie at the same places from 12 to 18; those behind the checkpoint too.
//! <https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/catalog/pg_control.h>

use std::io;
use std::path::{Path, PathBuf};

use upkeep_domain::lsn::{Lsn, TimelineId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlData {
    pub system_identifier: u64,
    pub state: ClusterState,
    pub checkpoint: Lsn,
    pub checkpoint_redo: Lsn,
    pub checkpoint_timeline: TimelineId,
    pub minimum_recovery_end: Lsn,
    pub segment_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterState {
    StartingUp,
    ShutDown,
    ShutDownInRecovery,
    ShuttingDown,
    InCrashRecovery,
    InArchiveRecovery,
    InProduction,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is not a control file that we understand: {what}", path.display())]
    Strange { path: PathBuf, what: &'static str },
}

/// Where the checksum lies: behind the nonce, which moved by a flag and its padding in 18.
const CHECKSUM_AT: [usize; 2] = [288, 292];
/// A server may be writing it while we read.
const TRIES: usize = 20;

impl ControlData {
    pub fn read(data: &Path) -> Result<Self, Error> {
        let path = data.join("global/pg_control");
        let mut strange = "empty";
        for _ in 0..TRIES {
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(source) => return Err(Error::Read { path, source }),
            };
            match Self::parse(&bytes) {
                Ok(control) => return Ok(control),
                Err(what) => strange = what,
            }
        }
        Err(Error::Strange {
            path,
            what: strange,
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let checksum_fits = |&at: &usize| {
            let said = u32_at(bytes, at);
            said.is_some() && said == bytes.get(..at).map(crc32c::crc32c)
        };
        if !CHECKSUM_AT.iter().any(checksum_fits) {
            return Err("its checksum is wrong");
        }
        let fields = || {
            Some((
                u64_at(bytes, 0)?,
                u32_at(bytes, 16)?,
                u64_at(bytes, 32)?,
                u64_at(bytes, 40)?,
                u32_at(bytes, 48)?,
                u64_at(bytes, 136)?,
                u32_at(bytes, 228)?,
            ))
        };
        let (system_identifier, state, checkpoint, redo, timeline, minimum, segment_bytes) =
            fields().ok_or("it is too short")?;
        if !segment_bytes.is_power_of_two() || segment_bytes < 1 << 20 {
            return Err("its WAL segment size is impossible");
        }
        Ok(Self {
            system_identifier,
            state: ClusterState::from_number(state).ok_or("its state is unknown")?,
            checkpoint: Lsn(checkpoint),
            checkpoint_redo: Lsn(redo),
            checkpoint_timeline: TimelineId(timeline),
            minimum_recovery_end: Lsn(minimum),
            segment_bytes: segment_bytes.into(),
        })
    }
}

impl ClusterState {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::StartingUp,
            1 => Self::ShutDown,
            2 => Self::ShutDownInRecovery,
            3 => Self::ShuttingDown,
            4 => Self::InCrashRecovery,
            5 => Self::InArchiveRecovery,
            6 => Self::InProduction,
            _ => return None,
        })
    }

    pub fn is_shut_down(self) -> bool {
        matches!(self, Self::ShutDown | Self::ShutDownInRecovery)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
