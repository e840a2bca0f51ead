//! Where traffic of a database goes.

use serde::{Deserialize, Serialize};

use crate::host_command::Fence;
use crate::id::{DatabaseId, InstanceId};
use crate::instance::{Address, Identity};

/// What clients may do at the instance behind a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It is a primary, and nobody is sent to one that is not.
    #[default]
    ReadWrite,
    /// It is a standby.
    ReadOnly,
}

/// One database name and the instance behind it. A lower fence never replaces a higher one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub database: DatabaseId,
    /// The name in the startup message: what clients are routed by.
    pub dbname: String,
    /// What the database is called on the server, where that is another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_dbname: Option<String>,
    #[serde(default)]
    pub access: Access,
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
