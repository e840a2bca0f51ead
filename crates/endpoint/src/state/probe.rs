//! Reads the state of an idle session over its own connection: one pipeline, one round trip.
//!
//! Extended protocol, a named statement and unnamed portals: the client's unnamed statement and its
//! names stay as they are. Every name and operator is qualified, because `search_path` is the
//! client's. It runs with the client's rights, and what it says is only ever replayed as that role.

use std::time::Duration;

use upkeep_wire::frame::Message;
use upkeep_wire::message::{DataRow, ErrorFields, MessageError, frontend};
use upkeep_wire::sql_text::cut_prepare;

use super::{Lock, SessionState, Statement};
use crate::backend::{Backend, Exchange, ExchangeError};
use crate::secret;

/// Prepared under the client's eyes for a moment; no driver calls its own so.
pub(super) const OWN_STATEMENT: &str = "_upkeep";

/// A default of SERIALIZABLE READ ONLY DEFERRABLE would make a transaction wait.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY NOT DEFERRABLE";

/// Left out of the settings: what only the current transaction has, and what cannot be read back.
const QUERY: &str = "/* upkeep: session state */ \
SELECT 'id'::text, session_user::text, pg_catalog.current_setting('role'), $2::text, NULL::text \
UNION ALL SELECT 'setting', s.name, s.setting, NULL, NULL FROM pg_catalog.pg_settings s \
 WHERE s.source OPERATOR(pg_catalog.=) 'session' AND s.context OPERATOR(pg_catalog.<>) 'internal' \
 AND s.name OPERATOR(pg_catalog.<>) ALL (ARRAY['seed', 'transaction_isolation', \
 'transaction_read_only', 'transaction_deferrable']) \
UNION ALL SELECT 'custom', n, pg_catalog.current_setting(n, true), NULL, NULL \
 FROM pg_catalog.unnest($1::text[]) n WHERE pg_catalog.current_setting(n, true) IS NOT NULL \
UNION ALL SELECT 'statement', p.name, p.statement, p.from_sql::text, p.parameter_types::pg_catalog.oid[]::text \
 FROM pg_catalog.pg_prepared_statements p WHERE p.name OPERATOR(pg_catalog.<>) '_upkeep' \
UNION ALL SELECT 'channel', c, NULL, NULL, NULL FROM pg_catalog.pg_listening_channels() c \
UNION ALL SELECT 'lock', l.classid::text, l.objid::text, l.objsubid::text, l.mode FROM pg_catalog.pg_locks l \
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted \
 AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() \
UNION ALL SELECT 'cursor', c.name, NULL, NULL, NULL FROM pg_catalog.pg_cursors c WHERE c.is_holdable \
UNION ALL SELECT 'temporary', t.k, NULL, NULL, NULL FROM ( \
 SELECT 'class'::text, c.relnamespace FROM pg_catalog.pg_class c \
 UNION ALL SELECT 'function', p.pronamespace FROM pg_catalog.pg_proc p \
 UNION ALL SELECT 'type', y.typnamespace FROM pg_catalog.pg_type y) t(k, n) \
 WHERE pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0::pg_catalog.oid \
 AND t.n OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()";

const CANCELED: &str = "57014";
/// A client's short `statement_timeout`, or its late cancel, may hit the probe.
const TRIES: u32 = 3;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    /// The session is as it was.
    #[error("the server refuses to say: `{0}`")]
    Refused(String),
    /// Nothing is known of the session any more.
    #[error("asking the server")]
    Broken(#[from] ExchangeError),
    #[error("the server's answer is not ours")]
    Foreign,
    #[error("reading the server's answer")]
    Message(#[from] MessageError),
}

impl ProbeError {
    pub(crate) fn leaves_the_session_intact(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// The state, and what the server said to the client meanwhile.
pub(crate) async fn probe(
    backend: &mut Backend,
    custom: &[String],
    limit: Duration,
) -> Result<(SessionState, Vec<u8>), ProbeError> {
    let mut asides = Vec::new();
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let marker = secret::text();
        let mut answer = backend
            .exchange(&pipeline(custom, &marker), 1, limit)
            .await?;
        asides.append(&mut answer.asides);
        match answer.error() {
            None => return Ok((read(&answer.replies, &marker)?, asides)),
            Some(error) => {
                recover(backend, &answer, limit).await?;
                if error.code != CANCELED || tries == 0 {
                    return Err(ProbeError::Refused(error.message));
                }
            }
        }
    }
}

/// Ends the transaction that a failed probe leaves open. First its statement: one that was cancelled while it
/// ran is still prepared, and nothing else can be prepared under its name.
async fn recover(
    backend: &mut Backend,
    failed: &Exchange,
    limit: Duration,
) -> Result<(), ProbeError> {
    let fatal = |error: &ErrorFields| error.is_fatal();
    if failed.error().as_ref().is_some_and(fatal) {
        return Err(ProbeError::Foreign);
    }
    let mut pipeline = Vec::new();
    frontend::close(&mut pipeline, frontend::Target::Statement, OWN_STATEMENT);
    run(&mut pipeline, "ROLLBACK", &[]);
    frontend::sync(&mut pipeline);
    let ended = backend.exchange(&pipeline, 1, limit).await?;
    match ended.replies.last() {
        Some(ready) if ready.payload == b"I" => Ok(()),
        _ => Err(ProbeError::Foreign),
    }
}

fn pipeline(custom: &[String], marker: &str) -> Vec<u8> {
    let mut out = Vec::new();
    run(&mut out, BEGIN, &[]);
    run(&mut out, QUERY, &[Some(&array(custom)), Some(marker)]);
    run(&mut out, "COMMIT", &[]);
    frontend::sync(&mut out);
    out
}

/// One statement, leaving nothing behind.
pub(super) fn run(out: &mut Vec<u8>, sql: &str, values: &[Option<&str>]) {
    frontend::parse(out, OWN_STATEMENT, sql, &[]);
    frontend::bind(out, "", OWN_STATEMENT, values);
    frontend::execute(out, "", 0);
    frontend::close(out, frontend::Target::Statement, OWN_STATEMENT);
}

/// An array literal of names.
fn array(names: &[String]) -> String {
    let quoted = |name: &String| {
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    };
    let names: Vec<_> = names.iter().map(quoted).collect();
    format!("{{{}}}", names.join(","))
}

fn read(replies: &[Message], marker: &str) -> Result<SessionState, ProbeError> {
    let mut state = SessionState::default();
    let mut ours = false;
    for reply in replies.iter().filter(|reply| reply.tag == b'D') {
        let row = DataRow::read(&reply.payload)?;
        ours |= row.bytes(0) == Some(b"id") && row.bytes(3) == Some(marker.as_bytes());
        if state.take(&row).is_err() {
            state.foreign_text = true;
        }
    }
    let idle = replies.last().is_some_and(|ready| ready.payload == b"I");
    if !ours || !idle {
        return Err(ProbeError::Foreign);
    }
    state.settings.sort();
    state.settings.dedup_by(|a, b| a.0 == b.0);
    state.statements.sort();
    state.channels.sort();
    state.locks.sort();
    Ok(state)
}

impl SessionState {
    fn take(&mut self, row: &DataRow<'_>) -> Result<(), MessageError> {
        let text = |column| Ok(row.text(column)?.unwrap_or_default().to_owned());
        let number = |column: usize| -> Result<u32, MessageError> {
            Ok(row
                .text(column)?
                .and_then(|text| text.parse().ok())
                .unwrap_or_default())
        };
        match row.bytes(0) {
            Some(b"id") => (self.session_user, self.role) = (text(1)?, text(2)?),
            Some(b"setting" | b"custom") => self.settings.push((text(1)?, text(2)?)),
            Some(b"statement") => {
                let from_sql = row.bytes(3) == Some(b"true");
                self.statements
                    .push(Statement::read(text(1)?, text(2)?, from_sql, &text(4)?));
            }
            Some(b"channel") => self.channels.push(text(1)?),
            Some(b"lock") => self.locks.push(Lock {
                class: number(1)?,
                object: number(2)?,
                kind: number(3)? as u16,
                shared: row.bytes(4) == Some(b"ShareLock"),
            }),
            Some(b"cursor") => self.cursors += 1,
            Some(b"temporary") => self.temporary += 1,
            _ => {}
        }
        Ok(())
    }
}

impl Statement {
    fn read(name: String, text: String, from_sql: bool, types: &str) -> Self {
        let types = types.trim_matches(['{', '}']).split(',');
        let types = types.filter_map(|oid| oid.parse().ok()).collect();
        let cut = from_sql.then(|| cut_prepare(&text, &name).map(str::to_owned));
        let (uncut, text) = match cut {
            Some(Some(cut)) => (false, cut),
            Some(None) => (true, text),
            None => (false, text),
        };
        Self {
            name,
            text,
            from_sql,
            uncut,
            types,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_array_literal() {
        let names = ["a.b".to_owned(), "we\"ird.\\x".to_owned()];
        assert_eq!(array(&names), r#"{"a.b","we\"ird.\\x"}"#);
        assert_eq!(array(&[]), "{}");
    }
}
