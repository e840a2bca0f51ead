//! Identifiers: one newtype per thing, so that an app's id cannot be passed for a database's.
//!
//! Ids are given (by a port), never made here: this crate has no randomness.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// What owns databases and their config vars.
    AppId
);
id!(
    /// What a person owns: one PostgreSQL database with one stable address.
    DatabaseId
);
id!(
    /// One name under which an app has a database.
    AttachmentId
);
id!(
    /// One data directory running somewhere.
    InstanceId
);
id!(
    /// One machine with an agent.
    HostId
);
id!(
    /// One planned piece of work on a database.
    MaintenanceId
);
id!(
    /// One durable run of a procedure.
    WorkflowId
);
