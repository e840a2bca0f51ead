//! Where traffic of a database goes.

use serde::{Deserialize, Serialize};

use crate::host_command::Fence;
use crate::id::{DatabaseId, InstanceId};
use crate::instance::{Address, Identity};

/// One database name and the instance behind it. A lower fence never replaces a higher one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub database: DatabaseId,
    /// The name in the startup message: what clients are routed by.
    pub dbname: String,
    pub fence: Fence,
    pub target: Target,
}

/// An instance as the endpoint needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub instance: InstanceId,
    pub address: Address,
    pub identity: Identity,
    /// Role with which the endpoint reads verifiers; logs in by peer on a unix socket.
    pub auth_role: String,
}
