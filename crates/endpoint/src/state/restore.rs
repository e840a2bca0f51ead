//! Rebuilds a session's state on a fresh server session, in the order that makes it come out equal.
//!
//! In two parts. [`rebuild`] is all that a standby can hold, ahead of the move. [`finish`] is what must
//! wait for it: LISTEN, advisory locks, and the unnamed statement.

use std::time::Duration;

use upkeep_wire::message::{DataRow, ErrorFields, frontend, put_message};
use upkeep_wire::sql_text::quote_identifier;

use super::probe::{OWN_STATEMENT, run};
use super::{Lock, SessionState, Statement, Unmovable};
use crate::backend::{Backend, ExchangeError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error("rebuilding the session's state")]
    Broken(#[from] ExchangeError),
    #[error("the server refuses a part of the session's state: `{}` (`{}`)", .0.message, .0.code)]
    Refused(ErrorFields),
    #[error("the session cannot be carried: {0}")]
    Unmovable(Unmovable),
}

impl RestoreError {
    pub(crate) fn reason(&self) -> Unmovable {
        match self {
            Self::Unmovable(reason) => *reason,
            _ => Unmovable::Unrestorable,
        }
    }
}

/// Settings, statements and role, for a session that logged in as `login`. `fresh` is false for a session that was rebuilt before.
pub(crate) async fn rebuild(
    backend: &mut Backend,
    state: &SessionState,
    login: &str,
    fresh: bool,
    limit: Duration,
) -> Result<(), RestoreError> {
    let mut out = Vec::new();
    let mut readies = 1;
    if !fresh {
        // A segment of its own: it cannot run inside a transaction.
        run(&mut out, "DISCARD ALL", &[]);
        frontend::sync(&mut out);
        readies += 1;
    }
    put_settings(&mut out, state);
    for statement in &state.statements {
        statement.put(&mut out);
    }
    if state.session_user != login {
        let user = quote_identifier(&state.session_user);
        run(&mut out, &format!("SET SESSION AUTHORIZATION {user}"), &[]);
    }
    if state.role != "none" {
        run(
            &mut out,
            &format!("SET ROLE {}", quote_identifier(&state.role)),
            &[],
        );
    }
    frontend::sync(&mut out);
    let answer = backend.exchange(&out, readies, limit).await?;
    answer
        .error()
        .map_or(Ok(()), |error| Err(RestoreError::Refused(error)))
}

/// LISTEN, locks and the unnamed Parse; answers with what the server said to the client meanwhile.
/// With nothing to do it still makes the server say what the promotion has changed.
pub(crate) async fn finish(
    backend: &mut Backend,
    state: &SessionState,
    unnamed: Option<&[u8]>,
    limit: Duration,
) -> Result<Vec<u8>, RestoreError> {
    let mut out = Vec::new();
    for channel in &state.channels {
        run(
            &mut out,
            &format!("LISTEN {}", quote_identifier(channel)),
            &[],
        );
    }
    for lock in &state.locks {
        run(&mut out, &lock.sql(), &[]);
    }
    frontend::sync(&mut out);
    let mut readies = 1;
    if let Some(parse) = unnamed {
        // Verbatim, and by itself: if it was wrong on the old server it may be wrong here.
        put_message(&mut out, b'P', parse);
        frontend::sync(&mut out);
        readies += 1;
    }
    let answer = backend.exchange(&out, readies, limit).await?;
    let first_segment = answer.replies.iter().take_while(|reply| reply.tag != b'Z');
    for reply in first_segment {
        match reply.tag {
            b'E' => {
                let error = ErrorFields::read(&reply.payload);
                let error = error.unwrap_or_else(|_| ErrorFields::error("XX000", "unreadable"));
                return Err(RestoreError::Refused(error));
            }
            b'D' if DataRow::read(&reply.payload).is_ok_and(|row| row.bytes(0) == Some(b"f")) => {
                return Err(RestoreError::Unmovable(Unmovable::LockTaken));
            }
            _ => {}
        }
    }
    Ok(answer.asides)
}

/// Gives advisory locks up, for a new session on the same server. If the old one is gone, so are they.
pub(crate) async fn give_up_locks(backend: &mut Backend, state: &SessionState, limit: Duration) {
    if state.locks.is_empty() {
        return;
    }
    let mut out = Vec::new();
    run(&mut out, "SELECT pg_catalog.pg_advisory_unlock_all()", &[]);
    frontend::sync(&mut out);
    let _ = backend.exchange(&out, 1, limit).await;
}

fn put_settings(out: &mut Vec<u8>, state: &SessionState) {
    let mut settings: Vec<_> = state.settings.iter().collect();
    settings.sort_by_key(|(name, _)| rank(name));
    if settings.is_empty() {
        return;
    }
    let sql = "SELECT pg_catalog.set_config($1, $2, false)";
    frontend::parse(out, OWN_STATEMENT, sql, &[]);
    for (name, value) in settings {
        frontend::bind(out, "", OWN_STATEMENT, &[Some(name), Some(value)]);
        frontend::execute(out, "", 0);
    }
    frontend::close(out, frontend::Target::Statement, OWN_STATEMENT);
}

/// The encoding decides how the rest is read; transactions and time-outs would bind what follows.
fn rank(name: &str) -> u8 {
    match name {
        "client_encoding" => 0,
        _ if name.starts_with("default_transaction_") => 2,
        _ if name.ends_with("_timeout") => 3,
        _ => 1,
    }
}

impl Statement {
    fn put(&self, out: &mut Vec<u8>) {
        if self.from_sql {
            run(out, &self.text, &[]);
        } else {
            frontend::parse(out, &self.name, &self.text, &self.types);
        }
    }
}

impl Lock {
    fn sql(&self) -> String {
        let shared = if self.shared { "_shared" } else { "" };
        let keys = if self.kind == 1 {
            let key = (u64::from(self.class) << 32) | u64::from(self.object);
            format!("({})::bigint", key.cast_signed())
        } else {
            let (class, object) = (self.class.cast_signed(), self.object.cast_signed());
            format!("({class})::int, ({object})::int")
        };
        format!("SELECT pg_catalog.pg_try_advisory_lock{shared}({keys})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_locks_keep_their_sign() {
        let lock = |class, object, kind, shared| {
            Lock {
                class,
                object,
                kind,
                shared,
            }
            .sql()
        };
        let one = lock(u32::MAX, u32::MAX - 4, 1, false);
        assert_eq!(one, "SELECT pg_catalog.pg_try_advisory_lock((-5)::bigint)");
        let two = lock(7, u32::MAX - 7, 2, true);
        assert_eq!(
            two,
            "SELECT pg_catalog.pg_try_advisory_lock_shared((7)::int, (-8)::int)"
        );
    }

    #[test]
    fn the_encoding_is_set_first_and_time_outs_last() {
        let mut names = [
            "statement_timeout",
            "work_mem",
            "default_transaction_read_only",
            "client_encoding",
        ];
        names.sort_by_key(|name| rank(name));
        let expected = [
            "client_encoding",
            "work_mem",
            "default_transaction_read_only",
            "statement_timeout",
        ];
        assert_eq!(names, expected);
    }
}
