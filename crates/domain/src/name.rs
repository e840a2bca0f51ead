//! Names that people give, and what is allowed in them.
//!
//! A name becomes part of paths, SQL and log lines, so it is refused here, once, with a sentence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest name of an app or a database, in bytes.
pub const NAME_BYTES_MAX: usize = 63;
const APP_NAME_BYTES_MIN: usize = 3;

#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "`{shown}` is not a name: use {min} to {NAME_BYTES_MAX} lower-case letters, digits and dashes, beginning with a letter and not ending with a dash"
)]
pub struct NameError {
    shown: String,
    min: usize,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $min:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_name(text, $min) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { shown: shown(text), min: $min })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// Name of an app, as people type it.
    AppName,
    APP_NAME_BYTES_MIN
);
name!(
    /// Name of a database, such as `postgresql-curved-12345`.
    DatabaseName,
    1
);

fn is_name(text: &str, min: usize) -> bool {
    (min..=NAME_BYTES_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What was typed, safe to print: escaped and cut.
pub(crate) fn shown(text: &str) -> String {
    text.chars()
        .take(NAME_BYTES_MAX)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_place_are_refused() {
        for text in [
            "../x",
            "a\"; drop",
            "-rf",
            "a b",
            "Ä",
            "a\0b",
            "a\nb",
            "ab",
            "abc-",
            "",
            "ABC",
        ] {
            assert!(text.parse::<AppName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_refusal_shows_control_characters_escaped() {
        let error = "a\x1b[31m".parse::<AppName>().unwrap_err().to_string();
        assert!(!error.contains('\x1b'), "{error}");
    }

    #[test]
    fn ordinary_names_are_taken() {
        for text in ["example-app", "abc", "postgresql-curved-12345"] {
            assert_eq!(text.parse::<AppName>().unwrap().as_str(), text);
        }
    }
}
