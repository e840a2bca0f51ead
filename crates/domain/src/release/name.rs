//! The name of a release, which is also the name of its folder: nothing in it can leave the store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` cannot name a release: up to 63 of `a-z`, `0-9`, `.`, `+`, `-`, beginning with a letter or digit, without `..`"
)]
pub struct BadName {
    name: String,
}

const LONGEST: usize = 63;

impl ReleaseName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inner = |b: u8| plain(b) || matches!(b, b'.' | b'+' | b'-');
    name.len() <= LONGEST
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(inner)
        && !name.contains("..")
}

impl FromStr for ReleaseName {
    type Err = BadName;

    fn from_str(name: &str) -> Result<Self, BadName> {
        Self::try_from(name.to_owned())
    }
}

impl TryFrom<String> for ReleaseName {
    type Error = BadName;

    fn try_from(name: String) -> Result<Self, BadName> {
        if allowed(&name) {
            Ok(Self(name))
        } else {
            Err(BadName { name })
        }
    }
}

impl From<ReleaseName> for String {
    fn from(name: ReleaseName) -> Self {
        name.0
    }
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_taken() {
        for name in ["15.18-system", "17.9-npm", "15.20-0+deb12u1", "a"] {
            assert_eq!(name.parse::<ReleaseName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_name_that_could_leave_the_store_is_refused() {
        let long = "a".repeat(64);
        for name in [
            "", ".", "..", "../x", "a/b", ".hidden", "-x", "a..b", "A", "a b", &long,
        ] {
            assert!(name.parse::<ReleaseName>().is_err(), "`{name}` was taken");
        }
    }

    #[test]
    fn a_bad_name_is_refused_in_a_body_too() {
        assert!(serde_json::from_str::<ReleaseName>("\"../x\"").is_err());
    }
}
