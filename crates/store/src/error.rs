//! What can go wrong with our own state.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error("connect to the state database")]
    Connect(#[source] tokio_postgres::Error),
    #[error("{doing}")]
    Query {
        doing: &'static str,
        source: tokio_postgres::Error,
    },
    #[error("read `{what}` from the state database")]
    Decode {
        what: &'static str,
        source: serde_json::Error,
    },
    #[error(
        "the state database is at version {found}, this program knows {known}: run a newer `upkeep`"
    )]
    Newer { found: i32, known: i32 },
    #[error("the state database belongs to host `{host}`: one host per state database, for now")]
    OtherHost { host: upkeep_domain::id::HostId },
    #[error("this program does not know the time zone `{zone}` of a freeze: run a newer `upkeep`")]
    UnknownZone { zone: String },
    #[error("another controller has taken over this workflow")]
    ClaimLost,
    #[error("the database that was to be followed is there no more")]
    LeaderGone,
    #[error("other databases follow it")]
    HasFollowers,
    #[error("as many maintenances go on as may at once: {going_on}")]
    NoTurn { going_on: i64 },
    #[error("what was planned is not as it was seen")]
    NotAsSeen,
    /// A row that must be alone is there already; the constraint's name tells which.
    #[error("it is there already ({constraint})")]
    Exists { constraint: String },
}

impl Error {
    /// Names what was tried, and recognises a row that must be alone.
    pub(crate) fn query(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> Self {
        move |source| {
            let unique = source
                .as_db_error()
                .filter(|db| *db.code() == tokio_postgres::error::SqlState::UNIQUE_VIOLATION);
            match unique.and_then(|db| db.constraint()) {
                Some(constraint) => Self::Exists {
                    constraint: constraint.to_owned(),
                },
                None => Self::Query { doing, source },
            }
        }
    }
}
