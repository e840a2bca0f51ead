//! The endpoint in front of real PostgreSQL servers.

mod postgres;
mod raw;
mod world;

mod carrying;
mod chaos;
mod holding;
mod login;
mod moving;
mod restarting;
mod switching;
