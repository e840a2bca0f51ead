//! What can go wrong with one statement or one connection, as the application would feel it.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use tokio_postgres::error::Severity;

/// Why a statement had no success.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// The server said no; the session goes on, and the statement had no effect.
    Refused { sqlstate: String, message: String },
    /// The connection ended, with or without a last word.
    Lost {
        sqlstate: Option<String>,
        message: String,
    },
    /// No answer in time; the client gives the connection up.
    Overdue { deadline: Duration },
    /// The driver could not make sense of the answer.
    Misread { message: String },
}

impl Trouble {
    pub(crate) fn session_lives(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Misread { .. })
    }

    /// Whether the client may be sure that the statement changed nothing.
    pub(crate) fn surely_without_effect(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    pub(crate) fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Refused { sqlstate, .. } => Some(sqlstate),
            Self::Lost { sqlstate, .. } => sqlstate.as_deref(),
            Self::Overdue { .. } | Self::Misread { .. } => None,
        }
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(db) = error.as_db_error() {
            let (sqlstate, message) = (db.code().code().to_owned(), db.message().to_owned());
            let fatal = matches!(
                db.parsed_severity(),
                Some(Severity::Fatal | Severity::Panic)
            ) || matches!(db.severity(), "FATAL" | "PANIC");
            return if fatal {
                Self::Lost {
                    sqlstate: Some(sqlstate),
                    message,
                }
            } else {
                Self::Refused { sqlstate, message }
            };
        }
        let io = error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<io::Error>);
        let message = match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        if io || error.is_closed() {
            Self::Lost {
                sqlstate: None,
                message,
            }
        } else {
            Self::Misread { message }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { message, .. } | Self::Misread { message } => f.write_str(message),
            Self::Lost { message, .. } => write!(f, "connection lost: {message}"),
            Self::Overdue { deadline } => {
                write!(f, "no answer within {} ms", deadline.as_millis())
            }
        }
    }
}
