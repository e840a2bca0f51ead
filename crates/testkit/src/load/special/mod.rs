//! Sessions that hold state which only the server knows: statements, settings, locks, listeners.
//!
//! A maintenance that merely reconnects passes the writers' eyes; these sessions notice. None of
//! them reconnects: whoever lost the connection lost the state.

mod cancel;
mod copy;
mod idle;
mod large_object;
mod listen;
mod lock;
mod portal;
mod prepared;
mod settings;

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

pub(crate) use listen::Heard;

use super::run::Run;
use super::session::Session;
use super::trouble::Trouble;

/// Whether one special session kept its state to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialSession {
    pub name: String,
    pub kept: bool,
    pub note: String,
}

/// What a special task brings home.
pub(crate) struct Findings {
    pub(crate) sessions: Vec<SpecialSession>,
    pub(crate) heard: Option<Heard>,
}

impl Findings {
    fn of(sessions: Vec<SpecialSession>) -> Self {
        Self {
            sessions,
            heard: None,
        }
    }
}

/// State of a session that is set up once and looked at until the load stops.
trait State {
    const NAME: &str;
    /// Time between two looks.
    const EVERY: Duration;

    async fn set_up(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken>;

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken>;
}

/// Why state is no longer what it was.
enum Broken {
    Trouble(Trouble),
    Changed(String),
}

impl From<Trouble> for Broken {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Broken {
    fn unless_equal<T: PartialEq + std::fmt::Debug>(what: &str, is: T, was: T) -> Result<(), Self> {
        if is == was {
            return Ok(());
        }
        Err(Self::Changed(format!("{what} is {is:?}, was {was:?}")))
    }
}

/// Sessions that [`all`] opens, besides the idle ones.
pub(crate) const SESSIONS: u32 = 10;

/// All special sessions, each to be run as a task of its own.
pub(crate) fn all(run: &Run, idle_sessions: u32) -> [BoxFuture<'static, Findings>; 9] {
    [
        Box::pin(keep(run.clone(), prepared::Prepared::default())),
        Box::pin(keep(run.clone(), settings::Settings::new(run.number()))),
        Box::pin(keep(run.clone(), portal::Portal)),
        Box::pin(keep(run.clone(), copy::Copy::default())),
        Box::pin(keep(run.clone(), large_object::LargeObject)),
        Box::pin(keep(run.clone(), cancel::Cancel)),
        Box::pin(lock::hold(run.clone())),
        Box::pin(listen::listen(run.clone())),
        Box::pin(idle::wait(run.clone(), idle_sessions)),
    ]
}

async fn keep<S: State>(run: Run, mut state: S) -> Findings {
    let mut session = match Session::open(&run, S::NAME, None).await {
        Ok(session) => session,
        Err(trouble) => return Findings::of(vec![finding(S::NAME, &Err(trouble.into()))]),
    };
    let outcome = match state.set_up(&run, &mut session).await {
        Ok(()) => watch(&run, &mut session, &mut state).await,
        Err(why) => Err(why),
    };
    Findings::of(vec![finish(session, outcome).await])
}

/// Looks at the state again and again, and once more when the load has stopped. Gives back how
/// often it looked.
async fn watch<S: State>(run: &Run, session: &mut Session, state: &mut S) -> Result<u32, Broken> {
    let mut looks = 0;
    loop {
        let last = run.stopping();
        state.look(run, session).await?;
        looks += 1;
        if last {
            return Ok(looks);
        }
        run.pause(S::EVERY).await;
    }
}

async fn finish(session: Session, outcome: Result<u32, Broken>) -> SpecialSession {
    let finding = finding(&session.name, &outcome);
    match &outcome {
        Err(Broken::Trouble(trouble)) => session.bury(trouble).await,
        Err(Broken::Changed(_)) | Ok(_) => session.close().await,
    }
    finding
}

fn finding(name: &str, outcome: &Result<u32, Broken>) -> SpecialSession {
    let note = match outcome {
        Ok(looks) => format!("looked at {looks} times"),
        Err(Broken::Trouble(trouble)) => trouble.to_string(),
        Err(Broken::Changed(what)) => what.clone(),
    };
    SpecialSession {
        name: name.to_owned(),
        kept: outcome.is_ok(),
        note,
    }
}
