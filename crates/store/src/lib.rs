//! Durable state: the only place with SQL about ourselves.
//!
//! One PostgreSQL database holds everything Upkeep knows; nothing that matters lives in memory only.
//! Tables are the files' names. A row is changed where its file says, or as a [`Change`] in the
//! same transaction as the step that caused it.
//!
//! **Invariant:** no query here runs on an instance that Upkeep maintains, and nothing here decides.

mod accounts;
mod app_versions;
mod apps;
mod attachments;
mod calendars;
mod connect;
mod databases;
mod deliveries;
mod error;
mod events;
mod fleet;
mod freezes;
mod instances;
mod maintenances;
mod migrate;
mod outbox;
mod pasts;
mod planned;
mod recipients;
mod requirements;
mod retention;
mod standings;
mod statements;
mod workflows;

pub use accounts::Account;
pub use app_versions::AppVersion;
pub use apps::App;
pub use attachments::{Attachment, Instead, NewAttachment};
pub use calendars::KeptCalendar;
pub use connect::Store;
pub use databases::{Database, DatabaseState, NewDatabase};
pub use deliveries::{KeptDelivery, KeptNotice, ToSend, Tried, Wanted};
pub use error::Error;
pub use events::{Event, EventKind};
pub use fleet::FleetRow;
pub use freezes::KeptFreeze;
pub use instances::{Instance, InstanceRole};
pub use maintenances::{Maintenance, NewMaintenance};
pub use migrate::LATEST as LATEST_MIGRATION;
pub use outbox::{Attached, Concerned, LastTold, Unaddressed};
pub use planned::{Move, NewPlan, Planned};
pub use recipients::KeptRecipient;
pub use workflows::{
    Change, Claim, NewEvent, NewWorkflow, Retried, Transition, Turn, Unfinished, WindowWait,
};
