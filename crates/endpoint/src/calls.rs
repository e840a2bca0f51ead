//! The bodies of the control socket: one per call of `domain::ports::Traffic`.
//!
//! Every reply is a `Result` of what the port answers, as JSON, under HTTP status 200.

use serde::{Deserialize, Serialize};
use upkeep_domain::hold::{HoldLimits, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::route::{Route, Target};

/// A call: its path, and its body.
pub(crate) trait Call: Serialize {
    const PATH: &'static str;
}

macro_rules! call {
    ($(#[$doc:meta])* $name:ident, $path:literal, { $($field:ident: $kind:ty),* }) => {
        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize)]
        pub(crate) struct $name { $(pub(crate) $field: $kind),* }

        impl Call for $name {
            const PATH: &'static str = $path;
        }
    };
}

call!(SetRoute, "/route", { route: Route });
call!(Forget, "/forget", { dbname: String, fence: Fence });
call!(Prepare, "/prepare", { dbname: String, fence: Fence, replacement: Target });
call!(ReadSessions, "/read-sessions", { dbname: String });
call!(Hold, "/hold", { dbname: String, fence: Fence, limits: HoldLimits });
call!(Renew, "/renew", { dbname: String, fence: Fence });
call!(Seal, "/seal", { dbname: String, fence: Fence });
call!(Release, "/release", { dbname: String, fence: Fence, onto: ReleaseOnto });
call!(
    /// What clients felt of the last hold.
    AskFelt, "/felt", { dbname: String }
);
call!(
    /// A look at every database.
    AskStatus, "/status", {}
);
