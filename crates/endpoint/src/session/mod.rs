//! One client and its server session: a task that carries bytes, and obeys orders at boundaries.
//!
//! Messages are followed by their headers only and forwarded unchanged. Between two messages the
//! session may be told to stop; at a boundary outside a transaction it may be looked at, rebuilt
//! elsewhere, and go on there.

mod from_client;
mod from_server;
mod moving;
mod notes;
mod obey;
mod outbox;
mod pump;
mod spare;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;
use upkeep_domain::route::Target;
use upkeep_wire::frame::{Capture, Scanner};
use upkeep_wire::message::ErrorFields;
use upkeep_wire::scram::ClientKeys;
use upkeep_wire::startup::Startup;
use upkeep_wire::tracker::Tracker;

use crate::backend::Backend;
use crate::database::{Database, Membership};
use crate::order::{Done, Order, Readiness};
use crate::state::{SessionState, Unmovable};
use notes::Notes;
use outbox::Outbox;
use spare::SpareSlot;

/// How long a client that is told to go may take to read it.
const FAREWELL: Duration = Duration::from_secs(1);

/// Who the client is, as far as a new server session needs it.
pub(crate) struct Login {
    pub(crate) startup: Startup,
    pub(crate) keys: ClientKeys,
}

pub(crate) struct Session<C> {
    client: C,
    backend: Backend,
    target: Arc<Target>,
    membership: Membership,
    login: Arc<Login>,
    /// The process id that the client was told at login.
    told_pid: u32,
    moved: bool,

    tracker: Tracker,
    from_client: Scanner,
    client_capture: Capture,
    /// Client bytes that were read and may not be forwarded yet.
    pending: Vec<u8>,
    to_server: Outbox,
    client_closed: bool,
    from_server: Scanner,
    server_capture: Capture,
    /// A message of the server that is forwarded only when it is whole.
    gathered: Vec<u8>,
    to_client: Outbox,
    server_closed: bool,
    write_side_shut: bool,

    notes: Notes,
    cycle_began: Instant,
    mode: Mode,
    preparation: Option<(Option<Arc<Target>>, Done<Readiness>)>,
    spare: SpareSlot,
    /// A cycle has run since the state was last read.
    dirty: bool,
    captured: Option<SessionState>,
    verdict: Option<Unmovable>,
    rebuilt: Option<Rebuilt>,
}

enum Mode {
    Flowing,
    /// On its way to a boundary.
    Draining(Done<()>),
    Held,
}

/// Complete on the new server, and waiting to go on there.
struct Rebuilt {
    backend: Backend,
    target: Arc<Target>,
    /// What the new server has already said to the client.
    asides: Vec<u8>,
}

/// What the pump wants somebody to do.
enum Event {
    Order(Order),
    /// At a boundary that somebody waits for.
    AtRest,
    Ended,
}

/// Why a session is over.
enum End {
    /// The client or its server closed.
    Closed,
    /// The client is told to connect again.
    Dismissed(ErrorFields),
}

fn dismissed() -> End {
    let message = "terminating connection due to administrator command";
    End::Dismissed(ErrorFields::fatal("57P01", message))
}

impl<C: AsyncRead + AsyncWrite + Unpin> Session<C> {
    pub(crate) fn new(
        client: C,
        already_read: Vec<u8>,
        backend: Backend,
        membership: Membership,
        login: Login,
    ) -> Self {
        membership
            .card
            .backend_pid
            .store(backend.key.pid, Ordering::Relaxed);
        Self {
            client,
            target: Arc::clone(&membership.target),
            told_pid: backend.key.pid,
            backend,
            membership,
            login: Arc::new(login),
            moved: false,
            tracker: Tracker::new(),
            from_client: Scanner::new(),
            client_capture: Capture::new(),
            pending: already_read,
            to_server: Outbox::default(),
            client_closed: false,
            from_server: Scanner::new(),
            server_capture: Capture::new(),
            gathered: Vec::new(),
            to_client: Outbox::default(),
            server_closed: false,
            write_side_shut: false,
            notes: Notes::default(),
            cycle_began: Instant::now(),
            mode: Mode::Flowing,
            preparation: None,
            spare: SpareSlot::Empty,
            dirty: true,
            captured: None,
            verdict: None,
            rebuilt: None,
        }
    }

    /// Until the client or its server ends it, or it is told to.
    pub(crate) async fn run(mut self) {
        let end = loop {
            let step = match self.next_event().await {
                // Boxed: rare, and larger than all that an idle session needs.
                Event::Order(order) => Box::pin(self.obey(order)).await,
                Event::AtRest => Box::pin(self.rest()).await,
                Event::Ended => Err(End::Closed),
            };
            if let Err(end) = step {
                break end;
            }
        };
        if let End::Dismissed(error) = end {
            error.put(self.to_client.buffer());
        }
        let rest = self.to_client.take();
        let farewell = async {
            self.client.write_all(&rest).await?;
            self.client.shutdown().await
        };
        // A client that is gone, or does not read, cannot be told.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }

    fn database(&self) -> &Database {
        &self.membership.database
    }

    /// Nothing is owed or half-way in either direction, and no transaction is open.
    fn at_rest(&self) -> bool {
        self.tracker.movable()
            && !self.from_client.mid_message()
            && !self.from_server.mid_message()
            && self.to_server.is_empty()
    }

    fn wants_rest(&self) -> bool {
        matches!(self.mode, Mode::Draining(_)) || self.preparation.is_some()
    }

    /// Whether the client's next message may be forwarded now.
    fn may_begin(&self) -> bool {
        match self.mode {
            Mode::Held => false,
            _ if !self.wants_rest() => true,
            // One cycle at a time, or a client that pipelines would never come to rest.
            _ => !self.tracker.movable() && !self.tracker.awaits_server(),
        }
    }
}
