//! The version of a PostgreSQL release: `15.18`. Pre-releases and versions before 10 are not known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    pub major: u16,
    pub minor: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the version of a PostgreSQL release, such as `15.18`")]
pub struct BadVersion {
    text: String,
}

/// The first major version with two numbers instead of three.
const OLDEST_MAJOR: u16 = 10;

impl Version {
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Reads what `postgres --version` prints: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    pub fn from_banner(banner: &str) -> Result<Self, BadVersion> {
        let bad = || BadVersion {
            text: banner.trim().to_owned(),
        };
        let (_, after) = banner.split_once("(PostgreSQL)").ok_or_else(bad)?;
        let word = after.split_whitespace().next().ok_or_else(bad)?;
        word.parse().map_err(|_| bad())
    }
}

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let bad = || BadVersion {
            text: text.to_owned(),
        };
        let (major, minor) = text.split_once('.').ok_or_else(bad)?;
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| digits.parse::<u16>().ok()).flatten()
        };
        match (number(major), number(minor)) {
            (Some(major), Some(minor)) if major >= OLDEST_MAJOR => Ok(Self { major, minor }),
            _ => Err(bad()),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = BadVersion;

    fn try_from(text: String) -> Result<Self, BadVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_banner_of_a_packaged_server_is_understood() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(Version::from_banner(debian), Ok(Version::new(15, 18)));
        let plain = "postgres (PostgreSQL) 18.6";
        assert_eq!(Version::from_banner(plain), Ok(Version::new(18, 6)));
    }

    #[test]
    fn what_is_not_a_release_is_refused() {
        for text in [
            "15", "15.", ".3", "9.6.24", "9.6", "18beta1", "15.18-0", "+15.1", "",
        ] {
            assert!(text.parse::<Version>().is_err(), "`{text}` was taken");
        }
        for banner in ["postgres (PostgreSQL) 19devel", "psql 15.18", ""] {
            assert!(
                Version::from_banner(banner).is_err(),
                "`{banner}` was taken"
            );
        }
    }

    #[test]
    fn minors_are_ordered_as_numbers() {
        assert!(Version::new(15, 9) < Version::new(15, 10));
        assert!(Version::new(15, 20) < Version::new(16, 0));
    }

    proptest! {
        #[test]
        fn every_version_survives_being_printed(major in 10_u16.., minor: u16) {
            let version = Version::new(major, minor);
            prop_assert_eq!(version.to_string().parse(), Ok(version));
        }
    }
}
