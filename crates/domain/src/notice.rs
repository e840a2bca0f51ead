//! Notices: what people are told of maintenances, and when they are reminded of them.
//!
//! What happened is a [`Told`]: a row of the outbox, with what it is about. [`letter`](words::letter) puts
//! it into words; how a letter reaches anybody is not known here.

pub mod audience;
pub mod delivery;
mod kind;
mod letter;
pub mod reminder;
mod when;
pub mod words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use audience::{Address, Listener};
pub use delivery::{Delivery, Recipient};
pub use kind::Kind;
pub use letter::{Appointment, Errand, Fact, Letter, Obstacle};

use crate::hold::Felt;
use crate::id::MaintenanceId;
use crate::maintenance::{Forecast, Window};
use crate::preflight::Report;

/// What happened, and of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub id: i64,
    pub at: Timestamp,
    pub kind: Kind,
    pub database: Subject,
    pub about: About,
    /// What somebody saw who looked at the database for it; none if nobody could.
    pub ahead: Option<Report>,
    pub forecast: Option<Forecast>,
}

/// The database that it is about, as its people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub name: String,
    pub plan: String,
    /// None on plans without.
    pub window: Option<Window>,
    /// App and attachment, such as `shop` and `DATABASE`.
    pub attachments: Vec<(String, String)>,
}

/// The maintenance as it was when the notice was written, as far as it was known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    pub maintenance: Option<MaintenanceId>,
    pub method: Option<String>,
    pub method_because: Option<String>,
    pub reason: Option<String>,
    pub reason_because: Option<String>,
    pub required_by: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
    pub previously_scheduled_for: Option<Timestamp>,
    /// What people have to know of the time.
    pub note: Option<String>,
    /// Why its window was missed.
    pub because: Option<String>,
    /// Why it did not succeed.
    pub sentence: Option<String>,
    pub release_before: Option<String>,
    pub release_after: Option<String>,
    pub begun_by: Option<String>,
    /// Who called it off.
    pub cancelled_by: Option<String>,
    pub felt: Option<Felt>,
}
