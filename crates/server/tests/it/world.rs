//! A faithful small backend: apps, databases and maintenances in memory, with the rules that the
//! contract speaks of. It runs no PostgreSQL; what it claims to have done is only remembered.

mod attachments;
mod calendars;
mod events;
mod fleet;
mod followers;
mod freezes;
mod notices;
mod release;
mod report;
mod requirements;
mod windows;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::timeout;
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::hold::Felt;
use upkeep_domain::id::{AppId, AttachmentId, DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::method::Method;
use upkeep_domain::maintenance::{Requirement, Status};
use upkeep_domain::name::AppName;
use upkeep_domain::plan::{Plan, Plans};
use upkeep_domain::preflight::Report;
use upkeep_domain::procedure::End;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{AddRelease, Release};
use upkeep_server::backend::{
    Account, AppRef, AppVersionView, AppView, Attach, AttachedView, Backend, CreateDatabase,
    DatabaseState, DatabaseView, EventView, FreezeView, InfoView, KeptCalendarView,
    MaintenanceView, NameOrId, RecipientView, RunMaintenance, Schedule, ScheduleView, SetWindow,
    Since, WindowView,
};
use uuid::Uuid;

use followers::url_of;
pub(crate) use notices::UNREACHED;
use report::report;

pub(crate) const TOKEN: &str = "token-of-the-test";
/// An app of this name makes the handler panic: every server has a defect somewhere.
pub(crate) const DEFECT: &str = "defect";
const EMAIL: &str = "ama@example.com";

#[derive(Default)]
pub(crate) struct World {
    state: Mutex<State>,
    news: Notify,
    waiting: Notify,
}

#[derive(Default)]
struct State {
    apps: Vec<AppView>,
    databases: Vec<DatabaseView>,
    maintenances: HashMap<DatabaseId, MaintenanceView>,
    /// Followers, and their leaders.
    following: HashMap<DatabaseId, DatabaseId>,
    calendars: Vec<([u8; 32], KeptCalendarView)>,
    freezes: Vec<FreezeView>,
    recipients: Vec<RecipientView>,
    required: HashMap<DatabaseId, Requirement>,
    runs: HashMap<Uuid, MaintenanceView>,
    history: Vec<MaintenanceView>,
    /// What apps were told about their databases.
    told: Vec<(AppId, String)>,
    attached_by: HashMap<Uuid, AttachmentId>,
    events: Vec<(DatabaseId, EventView)>,
    /// The last event before the latest workflow of each database.
    begun_behind: HashMap<DatabaseId, i64>,
}

impl World {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn provisioned(&self, id: Uuid) {
        let mut state = self.state();
        let database = state
            .databases
            .iter_mut()
            .find(|database| database.id.0 == id)
            .unwrap();
        database.state = DatabaseState::Provisioned;
    }

    pub(crate) fn runs(&self) -> usize {
        self.state().runs.len()
    }

    /// As if the engine had brought the maintenance to its end.
    pub(crate) fn finish(&self, id: Uuid, outcome: End, because: Option<&str>) {
        let mut state = self.state();
        let record = state.maintenances.get_mut(&DatabaseId(id)).unwrap();
        record.status = if outcome == End::RolledBack {
            Status::Ready
        } else {
            Status::Completed
        };
        record.outcome = Some(outcome);
        record.outcome_because = because.map(str::to_owned);
        record.step = None;
        record.completed_at = Some(at(1_700_000_186));
        record.felt = Some(Felt {
            longest_write_gap_ms: Some(41.25),
            held_ms: 23.5,
            sessions_held: 12,
            sessions_moved: 11,
            sessions_closed: [("temporary table".to_owned(), 1)].into(),
            sessions_at_risk: [("settings without a known name".to_owned(), 2)].into(),
            statements_failed: 0,
        });
        record.settings_applied = vec![WaitingSetting {
            name: "shared_buffers".to_owned(),
            before: "16384".to_owned(),
            after: "32768".to_owned(),
        }];
        record.steps_ms = vec![
            ("hold".to_owned(), 1.5),
            ("fence".to_owned(), 4.0),
            ("check".to_owned(), 9.0),
        ];
        let record = record.clone();
        state.history.push(record);
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn unknown(what: &str) -> Refusal {
    Refusal::not_found(format!("Couldn't find that {what}."))
}

#[async_trait]
impl Backend for World {
    async fn authenticate(&self, token_sha256: [u8; 32]) -> Result<Option<Account>, Refusal> {
        let known: [u8; 32] = Sha256::digest(TOKEN).into();
        Ok((token_sha256 == known).then(|| Account {
            id: Uuid::nil(),
            email: EMAIL.to_owned(),
        }))
    }

    async fn create_app(&self, name: Option<AppName>, _: Uuid) -> Result<AppView, Refusal> {
        let mut state = self.state();
        let name = name.unwrap_or_else(|| format!("app-{}", state.apps.len()).parse().unwrap());
        if state.apps.iter().any(|app| app.name == name) {
            return Err(Refusal::conflict("Name is already taken").with_hint("choose another"));
        }
        let app = AppView {
            id: AppId(Uuid::new_v4()),
            name,
            maintenance: false,
            owner_email: EMAIL.to_owned(),
            created_at: at(1_700_000_000),
        };
        state.apps.push(app.clone());
        Ok(app)
    }

    async fn apps(&self) -> Result<Vec<AppView>, Refusal> {
        Ok(self.state().apps.clone())
    }

    async fn app(&self, app: &NameOrId) -> Result<AppView, Refusal> {
        assert_ne!(app, DEFECT, "the defect that the test wants");
        let state = self.state();
        let found = state
            .apps
            .iter()
            .find(|a| a.name.as_str() == app || app.parse() == Ok(a.id));
        found.cloned().ok_or_else(|| unknown("app"))
    }

    async fn set_app_maintenance(&self, app: AppId, on: bool) -> Result<AppView, Refusal> {
        let mut state = self.state();
        let app = state
            .apps
            .iter_mut()
            .find(|a| a.id == app)
            .ok_or_else(|| unknown("app"))?;
        app.maintenance = on;
        Ok(app.clone())
    }

    async fn config_vars(&self, app: AppId) -> Result<Vec<(String, String)>, Refusal> {
        let databases = self.attachments(Some(app)).await?;
        let url =
            |database: &DatabaseView| format!("postgres://u:p@127.0.0.1:5432/{}", database.name);
        let vars = databases.iter().map(|one| {
            let var = one.attachment.name.config_var();
            (var, url(&one.database))
        });
        Ok(vars.collect())
    }

    async fn app_versions(&self, app: AppId) -> Result<Vec<AppVersionView>, Refusal> {
        let state = self.state();
        let told = state.told.iter().filter(|(of, _)| *of == app);
        let versions = (2..).zip(told).map(|(version, (_, what))| (version, what));
        let initial = "Initial release".to_owned();
        let mut all: Vec<_> = std::iter::once((1, &initial))
            .chain(versions)
            .map(|(version, what)| AppVersionView {
                id: Uuid::from_u128(u128::from(version)),
                version,
                description: what.clone(),
                created_at: at(1_700_000_000),
            })
            .collect();
        all.reverse();
        Ok(all)
    }

    async fn databases(&self, app: Option<AppId>) -> Result<Vec<DatabaseView>, Refusal> {
        let state = self.state();
        Ok(state
            .databases
            .iter()
            .filter(|d| app.is_none_or(|app| app == d.app.id))
            .cloned()
            .collect())
    }

    async fn database(&self, id: DatabaseId) -> Result<DatabaseView, Refusal> {
        self.state()
            .databases
            .iter()
            .find(|d| d.id == id)
            .cloned()
            .ok_or_else(|| unknown("add-on"))
    }

    async fn create_database(&self, wish: CreateDatabase) -> Result<DatabaseView, Refusal> {
        let plan = Plans::defaults().find(&wish.plan)?.clone();
        let app = self.app(&wish.app.to_string()).await?;
        let mut state = self.state();
        let nth = state.databases.len() + 1;
        let name = wish
            .name
            .unwrap_or_else(|| format!("postgresql-curved-{nth}").parse().unwrap());
        let first = !state.databases.iter().any(|d| d.app.id == app.id);
        let colour = format!("HEROKU_POSTGRESQL_COLOUR{nth}");
        let app = AppRef {
            id: app.id,
            name: app.name,
        };
        let names = if first {
            vec!["DATABASE".to_owned(), colour]
        } else {
            vec![colour]
        };
        let told = format!("Attach {} (@ref:{name})", names[0]);
        state.told.push((app.id, told));
        let named = |name: String| attachments::attachment(&app, name.parse().unwrap());
        let database = DatabaseView {
            id: DatabaseId(Uuid::new_v4()),
            name,
            attachments: names.into_iter().map(named).collect(),
            app,
            window: windows::first(&plan),
            plan,
            state: DatabaseState::Provisioning,
            created_at: at(1_700_000_000),
        };
        state.databases.push(database.clone());
        state
            .following
            .extend(wish.follow.map(|leader| (database.id, leader)));
        state
            .maintenances
            .insert(database.id, MaintenanceView::none(database.clone()));
        Ok(database)
    }

    async fn destroy_database(&self, id: DatabaseId) -> Result<DatabaseView, Refusal> {
        let mut database = self.database(id).await?;
        self.state().databases.retain(|d| d.id != id);
        database.state = DatabaseState::Deprovisioning;
        Ok(database)
    }

    async fn unfollow(&self, id: DatabaseId) -> Result<(), Refusal> {
        self.state().following.remove(&id);
        Ok(())
    }

    async fn is_unfollowing(&self, _id: DatabaseId) -> Result<bool, Refusal> {
        Ok(false)
    }

    async fn database_by_url(&self, url: &str) -> Result<Option<DatabaseId>, Refusal> {
        let state = self.state();
        let mut all = state.databases.iter();
        Ok(all.find(|d| url_of(d) == url).map(|d| d.id))
    }

    async fn attach(&self, wish: Attach) -> Result<AttachedView, Refusal> {
        self.attach_it(wish).await
    }

    async fn detach(&self, id: AttachmentId) -> Result<AttachedView, Refusal> {
        self.detach_it(id)
    }

    async fn database_info(&self, id: DatabaseId) -> Result<InfoView, Refusal> {
        let database = self.database(id).await?;
        if database.state == DatabaseState::Provisioning {
            return Err(Refusal::new(
                RefusalKind::NotReady,
                "it is being provisioned",
            ));
        }
        Ok(InfoView {
            release: "15.18-system".to_owned(),
            postgres_version: "15.18".to_owned(),
            status: "Available".to_owned(),
            size_bytes: Some(8_003_583),
            connections: Some(3),
            tables: Some(0),
            url: url_of(&database),
            standby_ready: None,
            following: self.following(id),
            followers: self.followers(id),
            maintenance: self.maintenance(id).await?,
            database,
        })
    }

    async fn maintenance(&self, database: DatabaseId) -> Result<MaintenanceView, Refusal> {
        self.record(database)
    }

    async fn maintenances(&self, app: AppId) -> Result<Vec<MaintenanceView>, Refusal> {
        let databases = self.databases(Some(app)).await?;
        let all = databases.iter().map(|database| self.record(database.id));
        all.collect()
    }

    async fn cancel(&self, database: DatabaseId, _by: &str) -> Result<MaintenanceView, Refusal> {
        let running = self.maintenance(database).await?;
        if running.status != Status::Running {
            let sentence = "no maintenance is going on";
            return Err(Refusal::new(RefusalKind::NotReady, sentence));
        }
        Ok(running)
    }

    async fn run(&self, wish: RunMaintenance) -> Result<MaintenanceView, Refusal> {
        let mut state = self.state();
        if let Some(first) = state.runs.get(&wish.request_id) {
            return Ok(first.clone());
        }
        let number = state.runs.len() as u128 + 1;
        let record = state
            .maintenances
            .get_mut(&wish.database)
            .ok_or_else(|| unknown("add-on"))?;
        if record.status == Status::Running {
            return Err(Refusal::busy("a maintenance is running already"));
        }
        record.id = Some(MaintenanceId(Uuid::from_u128(number << 64)));
        record.status = Status::Running;
        record.outcome = None;
        record.method = Some(wish.method.unwrap_or_else(|| "changeover".to_owned()));
        record.method_because = Some("it was asked for".to_owned());
        record.reason = Some("requested".to_owned());
        record.started_at = Some(at(1_700_000_000));
        record.release_before = Some("15.18-system".to_owned());
        record.release_after = Some(wish.release.unwrap_or_else(|| "15.20-debian".to_owned()));
        record.step = Some("check".to_owned());
        let record = record.clone();
        let last = state.events.len() as i64;
        state.begun_behind.insert(wish.database, last);
        state.runs.insert(wish.request_id, record.clone());
        Ok(record)
    }

    async fn window(&self, database: DatabaseId) -> Result<WindowView, Refusal> {
        self.window_of(database)
    }

    async fn set_window(&self, wish: SetWindow) -> Result<WindowView, Refusal> {
        self.change_window(wish)
    }

    async fn schedule(&self, wish: Schedule) -> Result<ScheduleView, Refusal> {
        self.reschedule(wish)
    }

    async fn preflight(
        &self,
        database: DatabaseId,
        release: Option<String>,
        method: Option<String>,
    ) -> Result<Report, Refusal> {
        self.database(database).await?;
        method.as_deref().map(Method::named).transpose()?;
        Ok(report(release))
    }

    async fn history(
        &self,
        database: DatabaseId,
        limit: u32,
    ) -> Result<Vec<MaintenanceView>, Refusal> {
        let state = self.state();
        let of_it = state
            .history
            .iter()
            .rev()
            .filter(|record| record.database.id == database);
        Ok(of_it.take(limit as usize).cloned().collect())
    }

    async fn events(
        &self,
        database: DatabaseId,
        since: Since,
        limit: u32,
        wait: Duration,
    ) -> Result<Vec<EventView>, Refusal> {
        let news = self.news.notified();
        let events = self.events_now(database, since, limit);
        if !events.is_empty() {
            return Ok(events);
        }
        self.waiting.notify_one();
        // It has come, or it will not.
        let _ = timeout(wait, news).await;
        Ok(self.events_now(database, since, limit))
    }

    async fn plans(&self) -> Result<Vec<Plan>, Refusal> {
        Ok(Plans::defaults().iter().cloned().collect())
    }

    async fn releases(&self) -> Result<Vec<Release>, Refusal> {
        Ok(Vec::new())
    }

    async fn release(&self, name: &str) -> Result<Release, Refusal> {
        Err(Refusal::not_found(format!("no release `{name}` here")))
    }

    async fn add_release(&self, wish: AddRelease) -> Result<Release, Refusal> {
        Ok(release::added(wish))
    }

    async fn remove_release(&self, name: &str) -> Result<(), Refusal> {
        Err(Refusal::conflict(format!("`{name}` is in use")))
    }
}
