//! Pages of the write-ahead log: reads bytes across them, past their headers.
//!
//! Segments are used again under new names, so a page counts only if it says that it is the one
//! that belongs here.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use upkeep_domain::lsn::{Lsn, WAL_PAGE_BYTES};

use super::Error;

const SHORT_HEADER_BYTES: u64 = 24;
const LONG_HEADER_BYTES: u64 = 40;
const FIRST_IS_CONTINUATION: u16 = 0x0001;

pub(super) struct Pages {
    dir: PathBuf,
    segment_bytes: u64,
    segments: HashMap<u64, Option<File>>,
    page: Option<(u64, Vec<u8>)>,
}

fn header_bytes(page: u64, segment_bytes: u64) -> u64 {
    if page.is_multiple_of(segment_bytes) {
        LONG_HEADER_BYTES
    } else {
        SHORT_HEADER_BYTES
    }
}

/// Where a record at `at` has its first byte: behind the header when a page begins there.
pub(super) fn record_start(at: Lsn, segment_bytes: u64) -> Lsn {
    if at.0.is_multiple_of(WAL_PAGE_BYTES) {
        return Lsn(at.0 + header_bytes(at.0, segment_bytes));
    }
    at
}

impl Pages {
    pub(super) fn new(dir: PathBuf, segment_bytes: u64) -> Self {
        Self {
            dir,
            segment_bytes,
            segments: HashMap::new(),
            page: None,
        }
    }

    /// Without the segment nothing can be said. One that would only begin at `position` may be
    /// missing: then nothing was written there.
    pub(super) fn expect_segment(&mut self, position: Lsn) -> Result<(), Error> {
        let last_before = Lsn(position.as_record_end().0.saturating_sub(1));
        let there = self.segment(position)?.is_some() || self.segment(last_before)?.is_some();
        if there {
            return Ok(());
        }
        Err(Error::NoSegment {
            dir: self.dir.clone(),
            position,
        })
    }

    /// Reads from `at` on; returns where it ended, or nothing if the log does not go that far.
    pub(super) fn read(&mut self, at: Lsn, into: &mut [u8]) -> Result<Option<Lsn>, Error> {
        let (mut at, mut done) = (at.0, 0);
        while done < into.len() {
            if at.is_multiple_of(WAL_PAGE_BYTES) {
                let rest = (into.len() - done) as u32;
                if done > 0 && !self.continues(at, rest)? {
                    return Ok(None);
                }
                at += header_bytes(at, self.segment_bytes);
            }
            let start = (at % WAL_PAGE_BYTES) as usize;
            let Some(page) = self.page(at - at % WAL_PAGE_BYTES)? else {
                return Ok(None);
            };
            let count = (page.len() - start).min(into.len() - done);
            into[done..done + count].copy_from_slice(&page[start..start + count]);
            done += count;
            at += count as u64;
        }
        Ok(Some(Lsn(at)))
    }

    /// Does this page go on with a record? How much of it is told by its own checksum.
    fn continues(&mut self, page: u64, rest: u32) -> Result<bool, Error> {
        let Some(bytes) = self.page(page)? else {
            return Ok(false);
        };
        let flags = u16::from_le_bytes([bytes[2], bytes[3]]);
        let said = u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]);
        Ok(flags & FIRST_IS_CONTINUATION != 0 && said == rest)
    }

    fn page(&mut self, start: u64) -> Result<Option<&[u8]>, Error> {
        if self.page.as_ref().is_none_or(|(at, _)| *at != start) {
            self.page = self.load(start)?.map(|bytes| (start, bytes));
        }
        Ok(self.page.as_ref().map(|(_, bytes)| bytes.as_slice()))
    }

    fn load(&mut self, start: u64) -> Result<Option<Vec<u8>>, Error> {
        let (offset, dir) = (start % self.segment_bytes, self.dir.clone());
        let Some(file) = self.segment(Lsn(start))? else {
            return Ok(None);
        };
        let mut bytes = vec![0; WAL_PAGE_BYTES as usize];
        match file.read_exact_at(&mut bytes, offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(source) => return Err(Error::Read { path: dir, source }),
        }
        let magic = u16::from_le_bytes([bytes[0], bytes[1]]);
        let mut address = [0; 8];
        address.copy_from_slice(&bytes[8..16]);
        let belongs_here = magic != 0 && u64::from_le_bytes(address) == start;
        Ok(belongs_here.then_some(bytes))
    }

    fn segment(&mut self, at: Lsn) -> Result<Option<&File>, Error> {
        let number = at.0 / self.segment_bytes;
        if !self.segments.contains_key(&number) {
            let opened = open_segment(&self.dir, number, self.segment_bytes);
            let file = opened.map_err(|source| Error::Read {
                path: self.dir.clone(),
                source,
            })?;
            self.segments.insert(number, file);
        }
        Ok(self.segments.get(&number).and_then(Option::as_ref))
    }
}

/// The segment on the highest timeline there is: the one the server was on.
fn open_segment(dir: &Path, number: u64, segment_bytes: u64) -> io::Result<Option<File>> {
    let per_file_id = (1 << 32) / segment_bytes;
    let suffix = format!("{:08X}{:08X}", number / per_file_id, number % per_file_id);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.len() == 24 && name.ends_with(&suffix) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .max()
        .map(|name| File::open(dir.join(name)))
        .transpose()
}
