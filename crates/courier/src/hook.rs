//! Webhooks: programs of people that are called by HTTP.

pub(crate) mod call;
mod connection;
pub(crate) mod network;
mod payload;
mod sign;
pub(crate) mod url;
