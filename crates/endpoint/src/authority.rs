//! Who may log in, as one server says: verifiers of roles, read over a control connection.
//!
//! A verifier is remembered for a short while. The connection also proves which data directory of
//! which cluster answers: a port or a path can be taken over by another one. Passwords are never known here.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use upkeep_domain::instance::TOKEN_SETTING;
use upkeep_domain::route::Target;
use upkeep_wire::message::{DataRow, frontend};
use upkeep_wire::scram::{Verifier, VerifierError};
use upkeep_wire::startup::Startup;

use crate::backend::{Backend, DialError, ExchangeError, dial};
use crate::config::Limits;
use crate::memory::Memory;
use crate::secret;

/// What real roles have, unless somebody set `scram_iterations`.
const USUAL_ITERATIONS: u32 = 4096;

/// Who may read what of `pg_authid` is granted per database; the agent does it in this one.
const CONTROL_DATABASE: &str = "postgres";

/// What a server says of one role.
#[derive(Clone, Debug)]
pub(crate) struct RoleRecord {
    /// One that accepts nothing, where the role does not exist or has no password that is valid.
    pub(crate) verifier: Verifier,
    pub(crate) may_log_in: bool,
    /// Known by a server that no session may be opened on yet.
    pub(crate) said_by_standby: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error("opening the control connection")]
    Dial(#[source] DialError),
    #[error("asking over the control connection")]
    Exchange(#[from] ExchangeError),
    #[error("the server refuses to say: `{0}`")]
    Refused(String),
    #[error("system identifier is `{found}`, not `{expected}`: this is another cluster")]
    OtherCluster { expected: u64, found: String },
    #[error("the server works in another data directory of the same cluster")]
    OtherDirectory,
    #[error("the server is a standby, not the primary")]
    Standby,
    #[error("reading the verifier of a role")]
    Verifier(#[from] VerifierError),
}

/// Columns, as text.
type Row = Vec<Option<String>>;

/// The roles of one server.
pub(crate) struct Authority {
    pub(crate) target: Target,
    limits: Limits,
    mock_key: [u8; 32],
    connection: tokio::sync::Mutex<Option<Backend>>,
    remembered: Mutex<Memory>,
}

impl Authority {
    pub(crate) fn new(target: Target, limits: &Limits) -> Self {
        Self {
            target,
            limits: limits.clone(),
            mock_key: secret::bytes(),
            connection: tokio::sync::Mutex::default(),
            remembered: Mutex::new(Memory::new(limits.verifier_age)),
        }
    }

    /// Connects, unless it is connected, and checks that the right cluster answers.
    pub(crate) async fn check(&self) -> Result<(), AuthorityError> {
        let mut connection = self.connection.lock().await;
        if connection.is_none() {
            *connection = Some(self.connect().await?);
        }
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server said of the role a short while ago.
    pub(crate) fn remembered(&self, role: &str) -> Option<RoleRecord> {
        self.memory().recall(role, Instant::now())
    }

    /// Takes over what another authority of the same cluster remembers.
    pub(crate) fn learn_from(&self, other: &Self) {
        let fresh = Memory::new(other.limits.verifier_age);
        let theirs = std::mem::replace(&mut *other.memory(), fresh);
        self.memory().learn(theirs);
    }

    /// Refuses a standby: it would take sessions, and none of their writes.
    pub(crate) async fn check_primary(&self) -> Result<(), AuthorityError> {
        let sql = "SELECT pg_catalog.pg_is_in_recovery()";
        let row = self.asked(sql, &[]).await?;
        let primary = row.is_some_and(|row| row == [Some("f".to_owned())]);
        primary.then_some(()).ok_or(AuthorityError::Standby)
    }

    /// Asks the server, and remembers its answer.
    pub(crate) async fn ask(&self, role: &str) -> Result<RoleRecord, AuthorityError> {
        let sql = "SELECT rolpassword, rolcanlogin, \
                   rolvaliduntil IS NULL OR rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now(), \
                   pg_catalog.pg_is_in_recovery() \
                   FROM pg_catalog.pg_authid WHERE rolname OPERATOR(pg_catalog.=) $1";
        let Some(row) = self.asked(sql, &[Some(role)]).await? else {
            self.memory().forget(role);
            return Ok(self.doomed(role));
        };
        let record = self.record(role, &row)?;
        self.memory().remember(role, record.clone(), Instant::now());
        Ok(record)
    }

    /// The first row of the answer, over the connection that is kept.
    async fn asked(
        &self,
        sql: &str,
        values: &[Option<&str>],
    ) -> Result<Option<Row>, AuthorityError> {
        let mut connection = self.connection.lock().await;
        // Taken out while it is used: a caller that gives up must not leave half an answer in it.
        let mut backend = match connection.take() {
            Some(backend) => backend,
            None => self.connect().await?,
        };
        let row = match self.one_row(&mut backend, sql, values).await {
            // The server may have been restarted since: once more, on a new connection.
            Err(AuthorityError::Exchange(_)) => {
                backend = self.connect().await?;
                self.one_row(&mut backend, sql, values).await?
            }
            answer => answer?,
        };
        *connection = Some(backend);
        Ok(row)
    }

    async fn connect(&self) -> Result<Backend, AuthorityError> {
        let startup = Startup::new(&self.target.auth_role, CONTROL_DATABASE)
            .with_param("application_name", "upkeep endpoint")
            .with_param("search_path", "")
            .with_param("default_transaction_read_only", "on");
        let dialled = dial(&self.target.address, &startup, None, self.limits.server).await;
        let mut backend = dialled.map_err(AuthorityError::Dial)?;
        let sql = "SELECT system_identifier, pg_catalog.current_setting($1, true) \
                   FROM pg_catalog.pg_control_system()";
        let row = self.one_row(&mut backend, sql, &[Some(TOKEN_SETTING)]);
        let mut row = row.await?.unwrap_or_default().into_iter();
        let found = row.next().flatten().unwrap_or_default();
        let expected = self.target.identity.system_identifier;
        if found != expected.to_string() && found != expected.cast_signed().to_string() {
            return Err(AuthorityError::OtherCluster { expected, found });
        }
        // One that was started before servers were told says nothing.
        let told = row.next().flatten();
        if told.is_some_and(|token| token != self.target.identity.token) {
            return Err(AuthorityError::OtherDirectory);
        }
        Ok(backend)
    }

    fn record(&self, role: &str, row: &[Option<String>]) -> Result<RoleRecord, VerifierError> {
        let truth = |column: usize| row.get(column) == Some(&Some("t".to_owned()));
        let said_by_standby = truth(3);
        Ok(match row.first() {
            Some(Some(stored)) if truth(2) => RoleRecord {
                verifier: Verifier::parse(stored)?,
                may_log_in: truth(1),
                said_by_standby,
            },
            _ => RoleRecord {
                said_by_standby,
                ..self.doomed(role)
            },
        })
    }

    /// What is said of a role that nobody can log in as: no password fits.
    fn doomed(&self, role: &str) -> RoleRecord {
        RoleRecord {
            verifier: Verifier::mock(&self.mock_key, role, USUAL_ITERATIONS),
            may_log_in: true,
            said_by_standby: false,
        }
    }

    /// The columns of the first row, as text.
    async fn one_row(
        &self,
        backend: &mut Backend,
        sql: &str,
        values: &[Option<&str>],
    ) -> Result<Option<Row>, AuthorityError> {
        let mut pipeline = Vec::new();
        frontend::parse(&mut pipeline, "", sql, &[]);
        frontend::bind(&mut pipeline, "", "", values);
        frontend::execute(&mut pipeline, "", 1);
        frontend::sync(&mut pipeline);
        let answer = backend.exchange(&pipeline, 1, self.limits.server).await?;
        if let Some(error) = answer.error() {
            return Err(AuthorityError::Refused(error.message));
        }
        let row = answer.replies.iter().find(|reply| reply.tag == b'D');
        let row = row.and_then(|reply| DataRow::read(&reply.payload).ok());
        let text = |row: &DataRow<'_>, column| row.text(column).ok().flatten().map(str::to_owned);
        Ok(row.map(|row| (0..row.len()).map(|column| text(&row, column)).collect()))
    }
}
