//! What the API's handlers need, joined from the engine's requests and the store's rows.

mod calendars;
mod fleet;
mod followers;
mod freezes;
mod notices;
mod requirements;
mod windows;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use upkeep_domain::id::{AppId, AttachmentId, DatabaseId};
use upkeep_domain::name::AppName;
use upkeep_domain::plan::Plan;
use upkeep_domain::preflight::Report;
use upkeep_domain::procedure::{Steps, unfollow};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{AddRelease, Release};
use upkeep_engine::Engine;
use upkeep_engine::request::{self, store_refusal};
use upkeep_server::backend::{
    Account, AppVersionView, AppView, Attach, AttachedView, Backend, CreateDatabase, DatabaseView,
    EventView, InfoView, MaintenanceView, NameOrId, RunMaintenance, Schedule, ScheduleView,
    SetWindow, Since, WaiverWish, WindowView,
};
use upkeep_store::{App, Attachment, Database, DatabaseState, Instance, Store};
use uuid::Uuid;

use super::views;

/// How often a waiting reader looks for new events.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) struct EngineBackend {
    engine: Engine,
    store: Arc<Store>,
    /// Host and port in connection strings.
    advertise: String,
    owner_email: String,
}

impl EngineBackend {
    pub(super) fn new(
        engine: Engine,
        store: Arc<Store>,
        advertise: String,
        owner_email: String,
    ) -> Self {
        Self {
            engine,
            store,
            advertise,
            owner_email,
        }
    }

    async fn app_row(&self, app: &NameOrId) -> Result<App, Refusal> {
        self.store
            .app(app)
            .await
            .map_err(|error| store_refusal(&error))?
            .ok_or_else(|| {
                Refusal::not_found(format!("there is no app `{}`", app.escape_default()))
                    .with_hint("list them with: upkeep apps")
            })
    }

    async fn database_row(&self, id: DatabaseId) -> Result<Database, Refusal> {
        self.store
            .database(id)
            .await
            .map_err(|error| store_refusal(&error))?
            .ok_or_else(|| Refusal::not_found("there is no such database"))
    }

    async fn attached(&self, id: AttachmentId) -> Result<(Database, Attachment), Refusal> {
        let database = self.store.database_attached_by(id).await;
        let found = database
            .map_err(|error| store_refusal(&error))?
            .and_then(|database| {
                let attachment = database.attachments.iter().find(|one| one.id == id);
                attachment.cloned().map(|attachment| (database, attachment))
            });
        found.ok_or_else(|| Refusal::not_found("there is no such attachment"))
    }

    fn view(&self, row: &Database) -> Result<DatabaseView, Refusal> {
        views::database(row, self.engine.plans())
    }

    fn url(&self, database: &Database) -> String {
        let credential = &database.credential;
        format!(
            "postgres://{}:{}@{}/{}",
            credential.role, credential.password, self.advertise, database.dbname
        )
    }

    /// A release that is gone from the store still has its name.
    async fn version_of(&self, release: &str) -> String {
        let known = self.engine.catalogue().await.ok();
        let found = known.and_then(|known| {
            known
                .find(release)
                .ok()
                .map(|found| found.version.to_string())
        });
        found.unwrap_or_else(|| release.to_owned())
    }

    /// Nothing on plans without a standby.
    async fn standby_ready(
        &self,
        database: &Database,
        primary: &Instance,
    ) -> Result<Option<bool>, Refusal> {
        let has_one = self.engine.plans().find(&database.plan)?.high_availability;
        if !has_one || database.follows.is_some() {
            return Ok(None);
        }
        let standby = self.engine.ready_standby(database, primary).await?;
        Ok(Some(standby.is_some()))
    }

    async fn maintenance_of(&self, database: &Database) -> Result<MaintenanceView, Refusal> {
        let view = self.view(database)?;
        let newest = self
            .store
            .maintenances(database.id, 1)
            .await
            .map_err(|error| store_refusal(&error))?;
        let planned = self.store.planned(database.id).await;
        let planned = planned.map_err(|error| store_refusal(&error))?;
        // What comes next is of more interest than what is over.
        let newest = match newest.into_iter().next() {
            Some(newest) if newest.completed_at.is_none() => Some(newest),
            over => planned.map(|planned| planned.maintenance).or(over),
        };
        let Some(newest) = newest else {
            return Ok(MaintenanceView::none(view));
        };
        let now = self
            .store
            .last_event(database.id)
            .await
            .map_err(|error| store_refusal(&error))?;
        views::maintenance(&newest, view, now.as_ref())
    }
}

#[async_trait]
impl Backend for EngineBackend {
    async fn authenticate(&self, token_sha256: [u8; 32]) -> Result<Option<Account>, Refusal> {
        let account = self
            .store
            .account_by_token(&token_sha256)
            .await
            .map_err(|error| store_refusal(&error))?;
        Ok(account.map(|account| Account {
            id: account.id,
            email: account.email,
        }))
    }

    async fn create_app(
        &self,
        name: Option<AppName>,
        _request_id: Uuid,
    ) -> Result<AppView, Refusal> {
        views::app(&self.engine.create_app(name).await?, &self.owner_email)
    }

    async fn apps(&self) -> Result<Vec<AppView>, Refusal> {
        let apps = self
            .store
            .apps()
            .await
            .map_err(|error| store_refusal(&error))?;
        apps.iter()
            .map(|app| views::app(app, &self.owner_email))
            .collect()
    }

    async fn app(&self, app: &NameOrId) -> Result<AppView, Refusal> {
        views::app(&self.app_row(app).await?, &self.owner_email)
    }

    async fn set_app_maintenance(&self, app: AppId, on: bool) -> Result<AppView, Refusal> {
        self.store
            .set_app_maintenance(app, on)
            .await
            .map_err(|error| store_refusal(&error))?;
        self.app(&app.to_string()).await
    }

    async fn config_vars(&self, app: AppId) -> Result<Vec<(String, String)>, Refusal> {
        let databases = self
            .store
            .attached_databases(app)
            .await
            .map_err(|error| store_refusal(&error))?;
        let mut vars: Vec<_> = databases
            .iter()
            .filter(|database| database.state == DatabaseState::Provisioned)
            .flat_map(|database| {
                let names = database.attachments.iter().filter(|one| one.app_id == app);
                names.map(|one| (one.name.config_var(), self.url(database)))
            })
            .collect();
        vars.sort();
        Ok(vars)
    }

    async fn app_versions(&self, app: AppId) -> Result<Vec<AppVersionView>, Refusal> {
        let versions = self
            .store
            .app_versions(app)
            .await
            .map_err(|error| store_refusal(&error))?;
        Ok(versions.into_iter().map(views::app_version).collect())
    }

    async fn databases(&self, app: Option<AppId>) -> Result<Vec<DatabaseView>, Refusal> {
        let databases = match app {
            Some(app) => self.store.app_databases(app).await,
            None => self.store.databases().await,
        };
        databases
            .map_err(|error| store_refusal(&error))?
            .iter()
            .map(|row| self.view(row))
            .collect()
    }

    async fn database(&self, id: DatabaseId) -> Result<DatabaseView, Refusal> {
        self.view(&self.database_row(id).await?)
    }

    async fn create_database(&self, wish: CreateDatabase) -> Result<DatabaseView, Refusal> {
        let made = self
            .engine
            .create_database(request::CreateDatabase {
                app: self.app_row(&wish.app.to_string()).await?,
                plan: wish.plan,
                name: wish.name,
                attach_as: wish.attach_as,
                release: wish.release,
                follow: match wish.follow {
                    Some(leader) => Some(self.database_row(leader).await?),
                    None => None,
                },
                request_id: Some(wish.request_id.to_string()),
            })
            .await?;
        self.view(&made)
    }

    async fn unfollow(&self, id: DatabaseId) -> Result<(), Refusal> {
        self.engine.unfollow(&self.database_row(id).await?).await
    }

    async fn is_unfollowing(&self, id: DatabaseId) -> Result<bool, Refusal> {
        let row = self.database_row(id).await?;
        let unfinished = self.store.unfinished(id).await;
        let unfinished = unfinished.map_err(|error| store_refusal(&error))?;
        let procedure = unfollow::Step::PROCEDURE;
        Ok(unfinished.is_some_and(|work| {
            work.database == row.name && work.procedure == procedure && !work.is_stuck
        }))
    }

    async fn database_by_url(&self, url: &str) -> Result<Option<DatabaseId>, Refusal> {
        let databases = self.store.databases().await;
        let databases = databases.map_err(|error| store_refusal(&error))?;
        let found = databases.iter().find(|database| self.url(database) == url);
        Ok(found.map(|database| database.id))
    }

    async fn destroy_database(&self, id: DatabaseId) -> Result<DatabaseView, Refusal> {
        let database = self.database_row(id).await?;
        self.engine.destroy_database(&database).await?;
        let mut view = self.view(&database)?;
        view.state = upkeep_server::backend::DatabaseState::Deprovisioning;
        Ok(view)
    }

    async fn attach(&self, wish: Attach) -> Result<AttachedView, Refusal> {
        let made = self
            .engine
            .attach(request::Attach {
                app: self.app_row(&wish.app.to_string()).await?,
                database: self.database_row(wish.database).await?,
                name: wish.name,
                confirm: wish.confirm,
                request_id: Some(wish.request_id.to_string()),
            })
            .await?;
        let (database, attachment) = self.attached(made).await?;
        views::attached(&attachment, self.view(&database)?)
    }

    async fn detach(&self, id: AttachmentId) -> Result<AttachedView, Refusal> {
        let (database, attachment) = self.attached(id).await?;
        self.engine.detach(&database, &attachment).await?;
        views::attached(&attachment, self.view(&database)?)
    }

    async fn database_info(&self, id: DatabaseId) -> Result<InfoView, Refusal> {
        let row = self.database_row(id).await?;
        let primary = match row.primary_instance {
            Some(primary) => self
                .store
                .instance(primary)
                .await
                .map_err(|error| store_refusal(&error))?,
            None => None,
        };
        let not_ready = || {
            Refusal::new(
                RefusalKind::NotReady,
                format!("`{}` is not provisioned yet", row.name),
            )
        };
        let primary = primary.ok_or_else(not_ready)?;
        let standby_ready = self.standby_ready(&row, &primary).await?;
        let seen = primary.observed.as_ref();
        let usage = self.engine.usage(&row, &primary).await;
        Ok(InfoView {
            database: self.view(&row)?,
            postgres_version: self.version_of(&primary.release).await,
            release: primary.release.clone(),
            status: status(seen.is_none_or(|seen| seen.accepts_connections)).to_owned(),
            size_bytes: usage.as_ref().map(|usage| usage.size_bytes),
            connections: usage.as_ref().map(|usage| usage.connections),
            tables: usage.as_ref().map(|usage| usage.tables),
            url: self.url(&row),
            standby_ready,
            following: self.following(&row, usage.as_ref()).await?,
            followers: self.followers_of(&row).await?,
            maintenance: self.maintenance_of(&row).await?,
        })
    }

    async fn maintenance(&self, database: DatabaseId) -> Result<MaintenanceView, Refusal> {
        self.maintenance_of(&self.database_row(database).await?)
            .await
    }

    async fn maintenances(&self, app: AppId) -> Result<Vec<MaintenanceView>, Refusal> {
        let mut views = Vec::new();
        for database in self
            .store
            .app_databases(app)
            .await
            .map_err(|error| store_refusal(&error))?
        {
            views.push(self.maintenance_of(&database).await?);
        }
        Ok(views)
    }

    async fn run(&self, wish: RunMaintenance) -> Result<MaintenanceView, Refusal> {
        let database = self.database_row(wish.database).await?;
        let begun = self
            .engine
            .run_maintenance(request::RunMaintenance {
                database: database.clone(),
                release: wish.release,
                method: wish.method,
                waivers: wish.waivers.into_iter().map(waiver_wish).collect(),
                by: wish.by,
                request_id: Some(wish.request_id.to_string()),
            })
            .await?;
        views::maintenance(&begun, self.view(&database)?, None)
    }

    async fn cancel(&self, database: DatabaseId, by: &str) -> Result<MaintenanceView, Refusal> {
        let database = self.database_row(database).await?;
        let asked = self.engine.cancel_maintenance(&database, by).await?;
        views::maintenance(&asked, self.view(&database)?, None)
    }

    async fn window(&self, database: DatabaseId) -> Result<WindowView, Refusal> {
        self.window_of(&self.database_row(database).await?).await
    }

    async fn set_window(&self, wish: SetWindow) -> Result<WindowView, Refusal> {
        self.change_window(wish).await
    }

    async fn schedule(&self, wish: Schedule) -> Result<ScheduleView, Refusal> {
        self.reschedule(wish).await
    }

    async fn preflight(
        &self,
        database: DatabaseId,
        release: Option<String>,
        method: Option<String>,
    ) -> Result<Report, Refusal> {
        let database = self.database_row(database).await?;
        let asked = self
            .engine
            .preflight(&database, release.as_deref(), method.as_deref());
        asked.await
    }

    async fn history(
        &self,
        database: DatabaseId,
        limit: u32,
    ) -> Result<Vec<MaintenanceView>, Refusal> {
        let view = self.database(database).await?;
        let rows = self
            .store
            // One of them may be under way, and is no history yet.
            .maintenances(database, limit.saturating_add(1))
            .await
            .map_err(|error| store_refusal(&error))?;
        rows.iter()
            .filter(|row| row.completed_at.is_some())
            .take(limit as usize)
            .map(|row| views::maintenance(row, view.clone(), None))
            .collect()
    }

    async fn events(
        &self,
        database: DatabaseId,
        since: Since,
        limit: u32,
        wait: Duration,
    ) -> Result<Vec<EventView>, Refusal> {
        let after = match since {
            Since::Event(id) => id,
            Since::LatestWorkflow => self
                .store
                .events_before_last_run(database)
                .await
                .map_err(|error| store_refusal(&error))?,
        };
        let until = Instant::now() + wait;
        loop {
            let events = self
                .store
                .events(database, after, limit)
                .await
                .map_err(|error| store_refusal(&error))?;
            if !events.is_empty() || Instant::now() >= until {
                return Ok(events.iter().map(views::event).collect());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn plans(&self) -> Result<Vec<Plan>, Refusal> {
        Ok(self.engine.plans().iter().cloned().collect())
    }

    async fn releases(&self) -> Result<Vec<Release>, Refusal> {
        Ok(self.engine.catalogue().await?.iter().cloned().collect())
    }

    async fn release(&self, name: &str) -> Result<Release, Refusal> {
        let catalogue = self.engine.catalogue().await?;
        catalogue
            .find(name)
            .cloned()
            .map_err(|error| Refusal::not_found(error.to_string()))
    }

    async fn add_release(&self, wish: AddRelease) -> Result<Release, Refusal> {
        self.engine.add_release(wish).await
    }

    async fn remove_release(&self, name: &str) -> Result<(), Refusal> {
        let release = self.release(name).await?;
        self.engine.remove_release(&release).await
    }
}

fn waiver_wish(wish: WaiverWish) -> request::WaiverWish {
    request::WaiverWish {
        check: wish.check,
        because: wish.because,
    }
}

fn status(accepts_connections: bool) -> &'static str {
    if accepts_connections {
        "Available"
    } else {
        "Temporarily Unavailable"
    }
}
