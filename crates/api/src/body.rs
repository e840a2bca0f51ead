//! JSON bodies. Field order is key order, and key order is part of what Heroku's client prints.

mod account;
mod addon;
mod app;
mod attachment;
mod calendar;
mod database;
mod error;
mod event;
mod fleet;
mod freeze;
mod maintenance;
mod notice;
mod plan;
mod preflight;
mod release;
mod requirement;
mod window;

pub use account::Account;
pub use addon::{
    Addon, AddonService, CreateAddon, NamedAttachment, PlanName, Price, PricedPlan, ResolveAddon,
    Wish,
};
pub use app::{App, AppChange, AppRef, AppRelease, ConfigVars, CreateApp, Email, Named};
pub use attachment::{AddonRef, Attachment, CreateAttachment, Reference, ResolveAttachment};
pub use calendar::{AddCalendar, Calendar};
pub use database::{Database, DatabasePlan, InfoEntry, WaitStatus};
pub use error::{ErrorBody, id};
pub use event::{Event, EventKind, Events, Progress};
pub use fleet::FleetEntry;
pub use freeze::{AddFreeze, Freeze, ImportFreezes, ImportedFreezes, LeftOutEvent};
pub use maintenance::{
    AppUuid, AppliedSetting, Felt, Forecast, Maintenance, MaintenanceAddon, Maintenances, Outcome,
    RunMaintenance, Status, StepsMs, Took,
};
pub use notice::{AddRecipient, Delivery, Notice, NoticeRecipient};
pub use plan::Plan;
pub use preflight::{Preflight, PreflightAction, PreflightCheck, PreflightVerdict, Waive, Waived};
pub use release::{AddFrom, AddRelease, Release};
pub use requirement::{Require, Requirement};
pub use window::{Schedule, Scheduled, UpdateWindow, Window};
