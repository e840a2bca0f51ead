//! Developers only: load that promises, ledgers, real-PostgreSQL fixtures.

mod abandoned;
pub mod conformance;
pub mod heroku_cli;
pub mod load;
pub mod observer;
pub mod postgres;
pub mod releases_source;
pub mod sim;
pub mod smtp_server;
pub mod up;
pub mod wait;
