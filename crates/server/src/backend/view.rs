//! What the backend shows: plain values, instants as instants. No JSON, no wording of times.

use jiff::Timestamp;
use serde_json::Value;
use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::hold::Felt;
use upkeep_domain::id::{AppId, AttachmentId, DatabaseId, MaintenanceId, WorkflowId};
use upkeep_domain::maintenance::forecast::Took;
use upkeep_domain::maintenance::{Forecast, Status, Window};
use upkeep_domain::name::{AppName, DatabaseName};
use upkeep_domain::plan::Plan;
use upkeep_domain::preflight::Report;
use upkeep_domain::procedure::End;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: Uuid,
    pub email: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppView {
    pub id: AppId,
    pub name: AppName,
    pub maintenance: bool,
    pub owner_email: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRef {
    pub id: AppId,
    pub name: AppName,
}

/// A version of an app's configuration; Heroku calls it a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppVersionView {
    pub id: Uuid,
    pub version: u64,
    /// Such as `Attach DATABASE (@ref:postgresql-x)`.
    pub description: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseState {
    Provisioning,
    Provisioned,
    Deprovisioning,
    Deprovisioned,
    /// It could not be made; the sentence about it is in the events.
    Failed,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseView {
    pub id: DatabaseId,
    pub name: DatabaseName,
    pub app: AppRef,
    pub plan: Plan,
    pub state: DatabaseState,
    /// In whatever app. The first one first.
    pub attachments: Vec<AttachmentView>,
    /// None on plans without one.
    pub window: Option<Window>,
    pub created_at: Timestamp,
}

impl DatabaseView {
    /// Of the app that owns it, such as `DATABASE_URL`.
    pub fn config_vars(&self) -> Vec<String> {
        let own = self.attachments.iter().filter(|a| a.app == self.app);
        own.map(|attachment| attachment.name.config_var()).collect()
    }
}

/// A name under which an app has a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentView {
    pub id: AttachmentId,
    pub app: AppRef,
    pub name: AttachmentName,
}

/// An attachment and what it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct AttachedView {
    pub attachment: AttachmentView,
    pub database: DatabaseView,
}

/// A database that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct InfoView {
    pub database: DatabaseView,
    pub release: String,
    /// Such as `15.18`.
    pub postgres_version: String,
    /// Such as `Available`.
    pub status: String,
    pub size_bytes: Option<u64>,
    pub connections: Option<u32>,
    pub tables: Option<u32>,
    /// With the password. `postgres://`, which is how Heroku's client knows it.
    pub url: String,
    /// The hidden standby could take over now; nothing on plans that have none.
    pub standby_ready: Option<bool>,
    pub following: Option<Following>,
    /// URLs of its followers.
    pub followers: Vec<String>,
    pub maintenance: MaintenanceView,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Following {
    pub name: DatabaseName,
    pub url: String,
    /// Transactions that the leader has ended and it has not replayed.
    pub behind_by: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MaintenanceView {
    /// None: nothing is planned and nothing was done.
    pub id: Option<MaintenanceId>,
    pub database: DatabaseView,
    pub status: Status,
    /// `changeover`, `restart` or `failover`.
    pub method: Option<String>,
    /// Why this method, in half a sentence.
    pub method_because: Option<String>,
    /// The most urgent of its reasons, in a word.
    pub reason: Option<String>,
    /// All of them, in a sentence.
    pub reason_because: Option<String>,
    pub previously_scheduled_for: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
    /// What has to be known of that.
    pub schedule_note: Option<String>,
    pub required_by: Option<Timestamp>,
    pub server_created_at: Option<Timestamp>,
    /// Who asked for the run: an account, or Upkeep itself.
    pub begun_by: Option<String>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    /// Such as `Tuesdays 17:30 to 21:30 UTC`.
    pub window: Option<String>,
    pub release_before: Option<String>,
    pub release_after: Option<String>,
    /// Name of the step that runs.
    pub step: Option<String>,
    pub waiting_for: Option<String>,
    pub outcome: Option<End>,
    /// Why it ended as it did, in a sentence.
    pub outcome_because: Option<String>,
    pub forecast: Option<Forecast>,
    pub felt: Option<Felt>,
    /// Settings that waited for it and took effect.
    pub settings_applied: Vec<WaitingSetting>,
    /// In the order in which the steps ran first.
    pub steps_ms: Vec<(String, f64)>,
    /// Once it is over.
    pub took: Option<Took>,
    /// Of each time it was looked at, the first one first.
    pub preflight: Vec<Report>,
}

impl MaintenanceView {
    /// Nothing is planned.
    pub fn none(database: DatabaseView) -> Self {
        let window = database.window.as_ref().map(Window::to_string);
        Self {
            id: None,
            database,
            status: Status::None,
            method: None,
            method_because: None,
            reason: None,
            reason_because: None,
            previously_scheduled_for: None,
            scheduled_for: None,
            schedule_note: None,
            required_by: None,
            server_created_at: None,
            begun_by: None,
            started_at: None,
            completed_at: None,
            window,
            release_before: None,
            release_after: None,
            step: None,
            waiting_for: None,
            outcome: None,
            outcome_because: None,
            forecast: None,
            felt: None,
            settings_applied: Vec::new(),
            steps_ms: Vec::new(),
            took: None,
            preflight: Vec::new(),
        }
    }
}

/// A database's window, and what a change of it did to a maintenance that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowView {
    pub window: Window,
    /// Nothing when none was changed.
    pub previous: Option<Window>,
    pub scheduled_for: Option<Timestamp>,
    pub previously_scheduled_for: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleView {
    pub window: Window,
    pub required_by: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
    pub previously_scheduled_for: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Began,
    Waiting,
    Progress,
    Done,
    Again,
    Failed,
    Ended,
    Note,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done_bytes: u64,
    pub total_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventView {
    pub id: i64,
    pub at: Timestamp,
    pub workflow: WorkflowId,
    /// `changeover`, `provision`, …
    pub procedure: String,
    pub step: Option<String>,
    pub kind: EventKind,
    /// What people read. Present tense, no full stop.
    pub sentence: String,
    /// Since the step began.
    pub elapsed_ms: Option<f64>,
    pub progress: Option<Progress>,
    pub detail: Value,
}
