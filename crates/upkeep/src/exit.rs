//! How a command ends: exit codes, and failures with a sentence and a hint.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use upkeep_api::client;
use upkeep_domain::error_chain::ErrorChain;

const UNAUTHORIZED: u16 = 401;
const INTERNAL: u16 = 500;
const UNAVAILABLE: u16 = 503;

/// The exit codes, for scripts. They do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done, or begun if that was asked for.
    Done = 0,
    /// What was asked for did not come about, and nothing changed: it was rolled back.
    NotDone = 1,
    /// Wrong usage, or refused with a reason. Nothing changed.
    Refused = 2,
    /// It is stuck and a person has to look.
    NeedsPerson = 3,
    /// The server, or what it depends on, cannot be reached.
    Unreachable = 4,
    /// A defect of Upkeep.
    Bug = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended otherwise than asked, for a person. Roles carry it as an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    pub sentence: String,
    pub hint: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self {
            exit,
            sentence: sentence.into(),
            hint: None,
        }
    }

    pub fn refused(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Refused, sentence)
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Error for Failure {}

/// Of a role: what is no refusal did not come about.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let told = error.downcast_ref::<Self>();
        Self {
            exit: told.map_or(Exit::NotDone, |told| told.exit),
            sentence: format!("{error:#}"),
            hint: told.and_then(|told| told.hint.clone()),
        }
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        let sentence = ErrorChain(&error).to_string();
        match error {
            client::Error::BadUrl { .. } | client::Error::BadToken => Self::refused(sentence),
            client::Error::Unreachable { .. } => Self::new(Exit::Unreachable, sentence)
                .with_hint("is it running? `upkeep up` starts it; UPKEEP_URL says where it is"),
            client::Error::Refused {
                status: UNAUTHORIZED,
                ..
            } => Self::refused(sentence)
                .with_hint("the token is not this server's: see UPKEEP_TOKEN and --dir"),
            client::Error::Refused { status, body } => Self {
                exit: exit_of(status),
                sentence,
                hint: body.hint,
            },
            client::Error::NotYet => {
                Self::refused(sentence).with_hint("`upkeep addons:wait` waits for it")
            }
            client::Error::Build { .. }
            | client::Error::Unexplained { .. }
            | client::Error::BadAnswer { .. } => Self::new(Exit::Bug, sentence)
                .with_hint("is it an Upkeep server of the same version? If so, please report it"),
        }
    }
}

fn exit_of(status: u16) -> Exit {
    match status {
        INTERNAL => Exit::Bug,
        UNAVAILABLE => Exit::Unreachable,
        _ => Exit::Refused,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn what_a_role_refuses_keeps_its_code_and_its_hint_through_what_was_tried() {
        let refused = Failure::refused("it is taken").with_hint("choose another");
        let error = Err::<(), _>(refused).context("listen").unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(
            failure,
            Failure::refused("listen: it is taken").with_hint("choose another")
        );
        let other = Failure::from(anyhow!("broken").context("read"));
        assert_eq!(other, Failure::new(Exit::NotDone, "read: broken"));
    }
}
