//! What a session can be told while it carries bytes. Each order is answered when it is done; a
//! session that ends drops the answer, which counts as gone.

use std::sync::Arc;

use tokio::sync::oneshot;
use upkeep_domain::hold::Blocker;
use upkeep_domain::route::Target;
use upkeep_wire::message::BackendKey;

use crate::state::{Risk, Unmovable};

/// Answered once.
pub(crate) type Done<T> = oneshot::Sender<T>;

pub(crate) enum Order {
    /// At the next boundary: look at yourself, and open a spare on the replacement, if there is one.
    Prepare {
        target: Option<Arc<Target>>,
        done: Done<Readiness>,
    },
    /// Forget the spare.
    Unprepare,
    /// Stop at the next boundary outside a transaction.
    Hold { done: Done<()> },
    /// What are you doing?
    Describe { done: Done<Blocker> },
    /// Everybody is held: what you see of yourself now is final.
    Capture { done: Done<()> },
    /// Become complete on the target, and wait for [`Order::Go`].
    Rebuild {
        target: Arc<Target>,
        done: Done<Result<(), Unmovable>>,
    },
    /// Go on where you were rebuilt, or end if you could not be.
    Go {
        done: Done<Result<Vec<Risk>, Unmovable>>,
    },
    /// Go on where you were.
    Resume { done: Done<()> },
    /// End, and tell the client to connect again.
    Close,
    /// Somebody wants the running statement cancelled. Answered with whom to tell, if anybody.
    Cancel {
        done: Done<Option<(Arc<Target>, BackendKey)>>,
    },
}

/// How a session stands towards a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Spare,
    /// It would be carried, but the spare has to be opened at the release.
    NoSpare,
    Unmovable(Unmovable),
}
