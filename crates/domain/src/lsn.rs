//! Positions in the write-ahead log and its branches.
//!
//! <https://www.postgresql.org/docs/current/datatype-pg-lsn.html>

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bytes of a WAL page: `XLOG_BLCKSZ` of every build we accept.
pub const WAL_PAGE_BYTES: u64 = 8192;

/// Page header inside a segment, and the longer one that opens each segment.
const PAGE_HEADERS_BYTES: [u64; 2] = [24, 40];

/// A byte position in the write-ahead log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lsn(pub u64);

impl Lsn {
    /// How many bytes `self` is behind `other`; 0 when it is not.
    pub fn bytes_behind(self, other: Self) -> u64 {
        other.0.saturating_sub(self.0)
    }

    /// Where whoever has received the record that begins here must at least be.
    pub fn past(self) -> Self {
        Self(self.0 + 1)
    }

    /// The same position as the *end* of the record before it.
    ///
    /// `pg_current_wal_insert_lsn()` names where the next record will begin: behind the page header
    /// when a page has just been filled. What a standby has received ends before that header, so
    /// both must be brought to one form before they are compared.
    pub fn as_record_end(self) -> Self {
        let in_page = self.0 % WAL_PAGE_BYTES;
        if PAGE_HEADERS_BYTES.contains(&in_page) {
            Self(self.0 - in_page)
        } else {
            self
        }
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a WAL position such as `0/16B3748`")]
pub struct ParseLsnError(String);

impl FromStr for Lsn {
    type Err = ParseLsnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |half: &str| u32::from_str_radix(half, 16).ok();
        text.split_once('/')
            .and_then(|(high, low)| Some((parse(high)?, parse(low)?)))
            .map(|(high, low)| Self(u64::from(high) << 32 | u64::from(low)))
            .ok_or_else(|| ParseLsnError(text.to_owned()))
    }
}

impl Serialize for Lsn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A branch of history; every promotion begins a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimelineId(pub u32);

impl fmt::Display for TimelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(value: u64) {
            prop_assert_eq!(Lsn(value).to_string().parse(), Ok(Lsn(value)));
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for text in ["", "0", "0/", "/0", "0/xyz", "1/2/3", "123456789/0"] {
            assert!(text.parse::<Lsn>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_start_behind_a_page_header_is_the_end_at_the_page() {
        assert_eq!(Lsn(8192 + 24).as_record_end(), Lsn(8192));
        assert_eq!(Lsn(0x100_0000 + 40).as_record_end(), Lsn(0x100_0000));
        assert_eq!(Lsn(8192 + 32).as_record_end(), Lsn(8192 + 32));
    }
}
