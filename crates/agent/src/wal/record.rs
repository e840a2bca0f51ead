//! One record of the write-ahead log, as far as we need to understand it.
//!
//! <https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/access/xlogrecord.h>

use upkeep_domain::lsn::Lsn;

use super::Error;
use super::pages::Pages;

const HEADER_BYTES: usize = 24;
/// Records begin, and therefore end, at such places.
pub(super) const ALIGNMENT: u64 = 8;
const CHECKSUM_AT: usize = 20;
/// Longer ones are not written by any server that we know.
const LONGEST_BYTES: usize = 1020 * 1024 * 1024;

const MANAGER_XLOG: u8 = 0;
const MANAGER_TRANSACTION: u8 = 1;
const XLOG_SWITCH: u8 = 0x40;
const TRANSACTION_KIND: u8 = 0x70;
const COMMIT: u8 = 0x00;
const PREPARE: u8 = 0x10;
const COMMIT_PREPARED: u8 = 0x30;
const ABORT_PREPARED: u8 = 0x40;

pub(super) struct Record {
    pub(super) previous: Lsn,
    pub(super) end: Lsn,
    manager: u8,
    info: u8,
}

impl Record {
    /// The valid record at `at`, if there is one.
    pub(super) fn read(pages: &mut Pages, at: Lsn) -> Result<Option<Self>, Error> {
        // The length lies in one page always; the rest of the header may not.
        let mut length = [0; 4];
        if pages.read(at, &mut length)?.is_none() {
            return Ok(None);
        }
        let length = u32::from_le_bytes(length) as usize;
        if !(HEADER_BYTES..=LONGEST_BYTES).contains(&length) {
            return Ok(None);
        }
        let mut bytes = vec![0; length];
        let Some(end) = pages.read(at, &mut bytes)? else {
            return Ok(None);
        };
        if checksum(&bytes) != number(&bytes[CHECKSUM_AT..HEADER_BYTES]) as u32 {
            return Ok(None);
        }
        let end = Lsn(end.0.next_multiple_of(ALIGNMENT));
        let (previous, info, manager) = (Lsn(number(&bytes[8..16])), bytes[16], bytes[17]);
        Ok(Some(Self {
            previous,
            end,
            manager,
            info,
        }))
    }

    /// It makes a transaction's end, or its promise of one, known.
    pub(super) fn ends_a_transaction(&self) -> bool {
        let kinds = [COMMIT, PREPARE, COMMIT_PREPARED, ABORT_PREPARED];
        self.manager == MANAGER_TRANSACTION && kinds.contains(&(self.info & TRANSACTION_KIND))
    }

    /// Nothing follows it in its segment.
    pub(super) fn ends_its_segment(&self) -> bool {
        self.manager == MANAGER_XLOG && self.info & 0xF0 == XLOG_SWITCH
    }
}

/// Little-endian.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// Over the record behind its header, then over the header up to the checksum.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(
        crc32c::crc32c(&bytes[HEADER_BYTES..]),
        &bytes[..CHECKSUM_AT],
    )
}
