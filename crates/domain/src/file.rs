//! Files that people write in TOML: what is wrong in one is said with its line, its key, and what is
//! allowed there.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use serde::de::DeserializeOwned;
use toml::Spanned;

/// What is wrong in a file. Nothing of the file is used then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Counted from 1.
    pub line: usize,
    pub key: Option<String>,
    pub sentence: String,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(key) = &self.key {
            write!(f, ", `{key}`")?;
        }
        write!(f, ": {}", self.sentence)
    }
}

/// Tells where something stands in the file.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    text: &'a str,
}

impl<'a> Place<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text }
    }

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        toml::from_str(self.text).map_err(|error| {
            let at = error.span().unwrap_or_default().start;
            Error {
                line: self.line(at),
                key: self.key(at),
                sentence: error.message().to_owned(),
            }
        })
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text[..at].matches('\n').count()
    }

    /// The key on the line, if it has one.
    fn key(&self, at: usize) -> Option<String> {
        let begin = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[begin..].lines().next()?;
        let (key, _) = line.split_once('=')?;
        Some(key.trim().to_owned())
    }

    pub fn error(&self, span: &Range<usize>, key: &str, sentence: String) -> Error {
        Error {
            line: self.line(span.start),
            key: Some(key.to_owned()),
            sentence,
        }
    }

    pub fn number(
        &self,
        key: &str,
        value: &Spanned<u32>,
        allowed: RangeInclusive<u32>,
    ) -> Result<u32, Error> {
        let number = *value.get_ref();
        if allowed.contains(&number) {
            return Ok(number);
        }
        let (least, most) = allowed.into_inner();
        let sentence = format!("{number} is not allowed: {least} to {most}");
        Err(self.error(&value.span(), key, sentence))
    }
}
