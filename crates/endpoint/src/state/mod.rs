//! What a session is beyond its transactions, read from its own server and rebuilt on another.
//!
//! The owner of the state is asked, as late as possible; hardly anything is shadowed. Two things no
//! server can say are noted while forwarding: names of custom settings, and the last unnamed Parse.
//! Lost without a trace, and documented: `lastval`/`currval`, how often an advisory lock was taken,
//! LOADed libraries, `setseed`, global variables of procedural languages.

mod probe;
mod restore;

pub(crate) use probe::probe;
pub(crate) use restore::{RestoreError, finish, give_up_locks, rebuild};

/// The state of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionState {
    session_user: String,
    /// `none`, or what SET ROLE said.
    role: String,
    /// Set in the session, the server's own and custom ones, by name.
    settings: Vec<(String, String)>,
    statements: Vec<Statement>,
    channels: Vec<String>,
    locks: Vec<Lock>,
    cursors: u32,
    temporary: u32,
    foreign_text: bool,
}

/// A named prepared statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    name: String,
    /// As it was sent; of an SQL PREPARE the one statement, cut out of the string it came in.
    text: String,
    from_sql: bool,
    /// The cut was uncertain: the text is the whole string.
    uncut: bool,
    types: Vec<u32>,
}

/// A session-level advisory lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lock {
    class: u32,
    object: u32,
    /// 1: one key of 64 bits; 2: two keys of 32.
    kind: u16,
    shared: bool,
}

/// Why a session cannot be carried to another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum Unmovable {
    #[error("replication connection")]
    Replication,
    #[error("temporary objects")]
    Temporary,
    #[error("cursor WITH HOLD")]
    Cursor,
    #[error("PREPARE that cannot be cut out of its text")]
    Uncuttable,
    #[error("text that is not UTF-8")]
    ForeignText,
    #[error("its state could not be read")]
    Unreadable,
    #[error("its state could not be rebuilt")]
    Unrestorable,
    #[error("advisory lock taken by somebody else")]
    LockTaken,
    #[error("the replacement refuses its login")]
    LoginRefused,
}

/// What a session that is carried may have lost, because nobody could read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum Risk {
    #[error("custom settings whose names are not known")]
    UnknownSettings,
    #[error("unnamed statement too long to be kept")]
    LongStatement,
}

impl SessionState {
    pub(crate) fn unmovable(&self) -> Option<Unmovable> {
        match self {
            _ if self.foreign_text => Some(Unmovable::ForeignText),
            _ if self.cursors > 0 => Some(Unmovable::Cursor),
            _ if self.temporary > 0 => Some(Unmovable::Temporary),
            _ if self.statements.iter().any(|s| s.uncut) => Some(Unmovable::Uncuttable),
            _ => None,
        }
    }

    /// Somebody else's NOTIFY can reach it at any time.
    pub(crate) fn listens(&self) -> bool {
        !self.channels.is_empty()
    }

    /// Equal in all that a standby can hold ahead of the move.
    pub(crate) fn equal_before_the_move(&self, other: &Self) -> bool {
        let without = |state: &Self| Self {
            channels: Vec::new(),
            locks: Vec::new(),
            ..state.clone()
        };
        without(self) == without(other)
    }
}
