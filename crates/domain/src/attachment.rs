//! Names under which apps have databases: an attachment `DATABASE` is the config var `DATABASE_URL`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::{NAME_BYTES_MAX, shown};

/// What makes a name the name of a config var.
const URL: &str = "_URL";
/// The attachment that applications use when nobody tells them otherwise.
const DEFAULT: &str = "DATABASE";

#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "`{shown}` is no name of an attachment: use at most {NAME_BYTES_MAX} upper-case letters, digits and underscores, beginning with a letter and without the `{URL}` of its config var"
)]
pub struct AttachmentNameError {
    shown: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttachmentName(String);

impl AttachmentName {
    /// `DATABASE`.
    pub fn default_one() -> Self {
        Self(DEFAULT.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn config_var(&self) -> String {
        format!("{}{URL}", self.0)
    }

    /// Whether a person who writes this means it: by its name, or by its config var's.
    pub fn is_meant_by(&self, text: &str) -> bool {
        text.strip_suffix(URL).unwrap_or(text) == self.0
    }
}

impl FromStr for AttachmentName {
    type Err = AttachmentNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = (1..=NAME_BYTES_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && !text.ends_with(URL)
            && text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if allowed {
            Ok(Self(text.to_owned()))
        } else {
            Err(AttachmentNameError { shown: shown(text) })
        }
    }
}

impl TryFrom<String> for AttachmentName {
    type Error = AttachmentNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AttachmentName> for String {
    fn from(name: AttachmentName) -> Self {
        name.0
    }
}

impl fmt::Display for AttachmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_a_config_var_is_refused() {
        for text in [
            "",
            "database",
            "1ST",
            "_X",
            "A-B",
            "A B",
            "A=B",
            "Ä",
            "A\nB",
            "A::B",
            "DATABASE_URL",
            "_URL",
        ] {
            assert!(text.parse::<AttachmentName>().is_err(), "{text:?}");
        }
        assert!("A".repeat(64).parse::<AttachmentName>().is_err());
        let error = "A\x1b[31m".parse::<AttachmentName>().unwrap_err();
        assert!(!error.to_string().contains('\x1b'), "{error}");
    }

    #[test]
    fn a_name_is_meant_by_itself_and_by_its_config_var() {
        let name: AttachmentName = "HEROKU_POSTGRESQL_ROSE".parse().unwrap();
        assert_eq!(name.config_var(), "HEROKU_POSTGRESQL_ROSE_URL");
        assert!(name.is_meant_by("HEROKU_POSTGRESQL_ROSE"));
        assert!(name.is_meant_by("HEROKU_POSTGRESQL_ROSE_URL"));
        assert!(!name.is_meant_by("HEROKU_POSTGRESQL_ROSE_URL_URL"));
        assert!(!name.is_meant_by("ROSE"));
    }
}
