//! What handlers need of the rest of Upkeep, in domain words: the only door out of this crate.
//!
//! Whoever implements it decides and remembers; handlers translate between it and the contract.
//! Every method is quick: work is accepted and goes on elsewhere, only [`Backend::events`] waits
//! and only [`Backend::add_release`] and [`Backend::preflight`] take their time.

mod calendars;
mod fleet;
mod freezes;
mod notices;
mod requirements;
mod view;

use std::time::Duration;

use async_trait::async_trait;
use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::id::{AppId, AttachmentId, DatabaseId};
use upkeep_domain::maintenance::schedule::Week;
use upkeep_domain::name::{AppName, DatabaseName};
use upkeep_domain::plan::Plan;
use upkeep_domain::preflight::Report;
use upkeep_domain::refusal::Refusal;
use upkeep_domain::release::{AddRelease, Release};
use uuid::Uuid;

use crate::resolve;

pub use calendars::{CalendarView, Calendars, KeptCalendarView};
pub use fleet::{Fleet, FleetView};
pub use freezes::{FreezeView, Freezes};
pub use notices::{DeliveryView, NoticeView, Notices, NoticesWanted, RecipientView};
pub use requirements::Requirements;
pub use view::{
    Account, AppRef, AppVersionView, AppView, AttachedView, AttachmentView, DatabaseState,
    DatabaseView, EventKind, EventView, Following, InfoView, MaintenanceView, Progress,
    ScheduleView, WindowView,
};

/// How a person names something: by its name or its id.
pub type NameOrId = str;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateDatabase {
    pub app: AppId,
    /// As typed, such as `heroku-postgresql:standard-0`.
    pub plan: String,
    pub name: Option<DatabaseName>,
    /// Under which name the app is to have it.
    pub attach_as: Option<AttachmentName>,
    /// Name or version of a PostgreSQL release; otherwise the backend chooses.
    pub release: Option<String>,
    /// The database that it is to follow.
    pub follow: Option<DatabaseId>,
    /// Asked again with the same id: the first answer, and nothing done twice.
    pub request_id: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    pub app: AppId,
    pub database: DatabaseId,
    /// Otherwise the backend finds a free one.
    pub name: Option<AttachmentName>,
    /// The app's name, as a person typed it: what has the name may give way.
    pub confirm: Option<String>,
    /// Asked again with the same id: the first answer, and nothing done twice.
    pub request_id: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMaintenance {
    pub database: DatabaseId,
    pub method: Option<String>,
    pub release: Option<String>,
    /// Checks that are not to stop it, as they were said.
    pub waivers: Vec<WaiverWish>,
    /// Who asks.
    pub by: String,
    /// Asked again with the same id: the first answer, and nothing done twice.
    pub request_id: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverWish {
    pub check: String,
    pub because: String,
}

/// A window as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetWindow {
    pub database: DatabaseId,
    pub day: String,
    pub time: String,
    /// UTC when not given.
    pub zone: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub database: DatabaseId,
    pub week: Week,
    /// Asked again with the same id: the first answer, and nothing done twice.
    pub request_id: Uuid,
}

/// Where a reader of events stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The beginning of the workflow that was started last, also if it has no event yet.
    LatestWorkflow,
    /// Behind this event, whatever its workflow.
    Event(i64),
}

#[async_trait]
pub trait Backend: Calendars + Fleet + Freezes + Notices + Requirements + 'static {
    /// Tokens are known by their SHA-256 only, so that comparing them tells nothing about them.
    async fn authenticate(&self, token_sha256: [u8; 32]) -> Result<Option<Account>, Refusal>;

    /// Without a name the backend makes one.
    async fn create_app(&self, name: Option<AppName>, request_id: Uuid)
    -> Result<AppView, Refusal>;
    async fn apps(&self) -> Result<Vec<AppView>, Refusal>;
    async fn app(&self, app: &NameOrId) -> Result<AppView, Refusal>;
    async fn set_app_maintenance(&self, app: AppId, on: bool) -> Result<AppView, Refusal>;
    /// Names and values, sorted by name.
    async fn config_vars(&self, app: AppId) -> Result<Vec<(String, String)>, Refusal>;
    /// Versions of the app's configuration, newest first. Never empty.
    async fn app_versions(&self, app: AppId) -> Result<Vec<AppVersionView>, Refusal>;

    /// Owned by one app, or all of them. Without the ones that are gone.
    async fn databases(&self, app: Option<AppId>) -> Result<Vec<DatabaseView>, Refusal>;
    async fn database(&self, id: DatabaseId) -> Result<DatabaseView, Refusal>;
    async fn create_database(&self, wish: CreateDatabase) -> Result<DatabaseView, Refusal>;
    async fn destroy_database(&self, id: DatabaseId) -> Result<DatabaseView, Refusal>;
    /// It is nobody's follower any more, as soon as that can be.
    async fn unfollow(&self, id: DatabaseId) -> Result<(), Refusal>;
    async fn is_unfollowing(&self, id: DatabaseId) -> Result<bool, Refusal>;
    /// Refused as `Unconfirmed` when something else has the name in the app.
    async fn attach(&self, wish: Attach) -> Result<AttachedView, Refusal>;
    async fn detach(&self, id: AttachmentId) -> Result<AttachedView, Refusal>;
    /// Of one app, or all of them.
    async fn attachments(&self, app: Option<AppId>) -> Result<Vec<AttachedView>, Refusal> {
        let there = resolve::attached(self.databases(None).await?);
        let of_app = |one: &AttachedView| app.is_none_or(|app| app == one.attachment.app.id);
        Ok(there.into_iter().filter(of_app).collect())
    }
    /// Refused as `NotReady` while it is being provisioned.
    async fn database_info(&self, id: DatabaseId) -> Result<InfoView, Refusal>;

    /// The database that this connection string leads to, if its password is right.
    async fn database_by_url(&self, url: &str) -> Result<Option<DatabaseId>, Refusal>;

    /// Every database that `text` can mean: name, id, attachment, config var or service. An app
    /// narrows the last three only.
    async fn resolve(
        &self,
        text: &str,
        app: Option<&NameOrId>,
    ) -> Result<Vec<DatabaseView>, Refusal> {
        let app = match app {
            Some(app) => Some(self.app(app).await?.id),
            None => None,
        };
        Ok(resolve::matching(self.databases(None).await?, text, app))
    }

    /// Always there; status `none` when nothing is planned.
    async fn maintenance(&self, database: DatabaseId) -> Result<MaintenanceView, Refusal>;
    /// One for each database of the app.
    async fn maintenances(&self, app: AppId) -> Result<Vec<MaintenanceView>, Refusal>;
    /// When it answers, the status is `running` already.
    async fn run(&self, wish: RunMaintenance) -> Result<MaintenanceView, Refusal>;
    /// Undoes the one that runs, as long as that can be.
    async fn cancel(&self, database: DatabaseId, by: &str) -> Result<MaintenanceView, Refusal>;
    /// Refused on plans without a window.
    async fn window(&self, database: DatabaseId) -> Result<WindowView, Refusal>;
    /// What is planned moves along.
    async fn set_window(&self, wish: SetWindow) -> Result<WindowView, Refusal>;
    async fn schedule(&self, wish: Schedule) -> Result<ScheduleView, Refusal>;
    /// What would stand in the way. Looks only; takes its time.
    async fn preflight(
        &self,
        database: DatabaseId,
        release: Option<String>,
        method: Option<String>,
    ) -> Result<Report, Refusal>;
    /// Finished ones, newest first.
    async fn history(
        &self,
        database: DatabaseId,
        limit: u32,
    ) -> Result<Vec<MaintenanceView>, Refusal>;

    /// In order. Waits up to `wait` for the first one.
    async fn events(
        &self,
        database: DatabaseId,
        since: Since,
        limit: u32,
        wait: Duration,
    ) -> Result<Vec<EventView>, Refusal>;

    /// In the order of their table.
    async fn plans(&self) -> Result<Vec<Plan>, Refusal>;
    async fn releases(&self) -> Result<Vec<Release>, Refusal>;
    async fn release(&self, name: &str) -> Result<Release, Refusal>;
    async fn add_release(&self, wish: AddRelease) -> Result<Release, Refusal>;
    async fn remove_release(&self, name: &str) -> Result<(), Refusal>;
}
