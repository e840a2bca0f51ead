//! `data:maintenances:run`: a maintenance, now, by the method that fits or the one that was asked for.

pub(super) mod due;

use upkeep_domain::id::{InstanceId, MaintenanceId};
use upkeep_domain::maintenance::method::{Cause, Choice, Facts, Method, choose};
use upkeep_domain::plan::Plan;
use upkeep_domain::preflight::{Waiver, grant};
use upkeep_domain::refusal::Refusal;
use upkeep_domain::release::Release;
use upkeep_store::{
    Database, Error as StoreError, Instance, Maintenance, NewMaintenance, NewWorkflow, Unfinished,
};

use super::{already_busy, store_refusal};
use crate::Engine;
use crate::procedure::{
    Changeover, Failover, FollowerChangeover, Followers, Restart, Switch, follower_changeover,
};

/// Asked for by a person, not by a policy.
const REASON: &str = "requested";
/// As rows say it.
const STUCK: &str = "stuck";

#[derive(Clone, Debug)]
pub struct RunMaintenance {
    pub database: Database,
    /// A release or version in the store; the newest of the same major when not given.
    pub release: Option<String>,
    /// The method that is wanted; the one that fits when not given.
    pub method: Option<String>,
    /// What a person says does not matter.
    pub waivers: Vec<WaiverWish>,
    /// Who asks.
    pub by: String,
    /// A repeated request is answered with what the first one began.
    pub request_id: Option<String>,
}

/// A run that can be begun.
pub(super) struct Prepared {
    pub(super) workflow: NewWorkflow,
    pub(super) maintenance: NewMaintenance,
}

/// A wish to waive a check, as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverWish {
    pub check: String,
    pub because: String,
}

impl Engine {
    pub async fn run_maintenance(&self, request: RunMaintenance) -> Result<Maintenance, Refusal> {
        let database = &request.database;
        if let Some(begun) = self.begun_by(request.request_id.as_deref()).await? {
            return Ok(begun);
        }
        self.need_words_of_stuck(&request).await?;
        // Also where nothing is run by hand: nobody else can help what is stuck.
        if self.go_on_with_stuck(database).await? {
            return self.newest_maintenance(database).await;
        }
        refuse_without_window(self.world.plans.find(&database.plan)?)?;
        if self.go_on_at_once(&request).await? {
            return self.newest_maintenance(database).await;
        }
        self.begin_run(&request).await
    }

    /// What waits for its window, or is being prepared for it, waits no more.
    async fn go_on_at_once(&self, request: &RunMaintenance) -> Result<bool, Refusal> {
        let is_as_prepared = request.release.is_none() && request.method.is_none();
        if !is_as_prepared || !request.waivers.is_empty() {
            return Ok(false);
        }
        let (by, request_id) = (&request.by, request.request_id.as_deref());
        let went_on = self.store.go_on_now(request.database.id, by, request_id);
        went_on.await.map_err(|error| store_refusal(&error))
    }

    async fn begin_run(&self, request: &RunMaintenance) -> Result<Maintenance, Refusal> {
        let database = &request.database;
        let Prepared {
            workflow,
            maintenance,
        } = self.prepare_run(request).await?;
        let begun = self
            .store
            .begin_maintenance(&workflow, &maintenance, None)
            .await;
        match begun {
            Ok(()) => self.wake(),
            // The same request may have come twice at once: both are answered alike.
            Err(StoreError::Exists { .. }) => {
                let begun = self.begun_by(request.request_id.as_deref()).await?;
                let first_step = workflow.first_step;
                return begun
                    .ok_or_else(|| already_busy(&database.name, "maintenance", first_step));
            }
            Err(error) => return Err(store_refusal(&error)),
        }
        self.newest_maintenance(database).await
    }

    /// What is asked for, or why it cannot be now. Nothing is begun.
    pub(super) async fn prepare_run(&self, request: &RunMaintenance) -> Result<Prepared, Refusal> {
        let database = &request.database;
        let wanted = request.method.as_deref().map(Method::named).transpose()?;
        let primary = self.primary(database).await?;
        self.need_idle(database).await?;
        let catalogue = self.catalogue().await?;
        let (release, cause) = self.due(&catalogue, &primary, request, wanted).await?;
        let standby = self.ready_standby(database, &primary).await?;
        let leader = self.leader_if_any(database).await?;
        let choice =
            self.choose_method(database, leader.as_ref(), standby.as_ref(), cause, wanted)?;
        let waivers = waivers(request)?;
        let planned = self.planned(database).await?;
        let planned = planned.filter(|planned| is_done_with(&planned.maintenance, release));
        let method = choice.method.as_str();
        let outset = self.outset(database, &primary, method).await?;
        let maintenance = NewMaintenance {
            id: match planned {
                Some(planned) => planned.maintenance.id,
                None => MaintenanceId(self.world.random.uuid()),
            },
            method: method.to_owned(),
            method_because: choice.because.clone(),
            reason: REASON.to_owned(),
            release_before: primary.release.clone(),
            release_after: release.name.to_string(),
            waivers: waivers.clone(),
            size_bytes: outset.size_bytes,
            forecast: outset.forecast,
            window: self.window(database)?.map(|window| window.to_string()),
            begun_by: request.by.clone(),
            request_id: request.request_id.clone(),
            go_on_until: None,
        };
        let workflow = match &leader {
            Some(leader) => {
                self.follower_changeover(database, leader, &primary, release, waivers)?
            }
            None => self.workflow_for(&choice, database, &primary, standby, release, waivers)?,
        };
        Ok(Prepared {
            workflow,
            maintenance,
        })
    }

    pub(super) fn choose_method(
        &self,
        database: &Database,
        leader: Option<&Database>,
        standby: Option<&Instance>,
        cause: Cause,
        wanted: Option<Method>,
    ) -> Result<Choice, Refusal> {
        let facts = Facts {
            database: &database.name,
            is_ha: self.world.plans.find(&database.plan)?.high_availability,
            has_ready_standby: standby.is_some(),
            follows: leader.map(|leader| leader.name.as_str()),
            cause,
        };
        choose(&facts, wanted)
    }

    /// What is stuck goes on as it was begun: other words would be lost on it.
    async fn need_words_of_stuck(&self, request: &RunMaintenance) -> Result<(), Refusal> {
        let database = &request.database;
        let unfinished = self.store.unfinished(database.id).await;
        let unfinished = unfinished.map_err(|error| store_refusal(&error))?;
        let own = |work: Unfinished| work.is_stuck && work.database == database.name;
        if !unfinished.is_some_and(own) {
            return Ok(());
        }
        let begun = self.store.maintenances(database.id, 1).await;
        let begun = begun.map_err(|error| store_refusal(&error))?.pop();
        let Some(begun) = begun.filter(|begun| begun.outcome.as_deref() == Some(STUCK)) else {
            return Ok(());
        };
        let catalogue = self.catalogue().await?;
        let same_method = |method: &String| *method == begun.method;
        let same_release = |named: &String| {
            let found = catalogue.find(named);
            found.is_ok_and(|release| release.name.as_str() == begun.release_after)
        };
        let waived = |wish: &WaiverWish| {
            let mut waivers = begun.waivers.iter();
            waivers.any(|waiver| waiver.check.as_str() == wish.check)
        };
        let other = [
            ("--method", request.method.as_ref().is_none_or(same_method)),
            (
                "--release",
                request.release.as_ref().is_none_or(same_release),
            ),
            ("--waive", request.waivers.iter().all(waived)),
        ]
        .into_iter()
        .find(|(_, same)| !same);
        let Some((option, _)) = other else {
            return Ok(());
        };
        let sentence = format!(
            "the {} of `{}` to `{}` is stuck and goes on as it was begun; {option} says something else",
            begun.method, database.name, begun.release_after
        );
        Err(Refusal::busy(sentence).with_hint(format!(
            "let it go on without {option}, then run another one"
        )))
    }

    pub(super) async fn newest_maintenance(
        &self,
        database: &Database,
    ) -> Result<Maintenance, Refusal> {
        let newest = self
            .store
            .maintenances(database.id, 1)
            .await
            .map_err(|error| store_refusal(&error))?;
        newest
            .into_iter()
            .next()
            .ok_or_else(|| Refusal::not_found("the database has no maintenance"))
    }

    async fn begun_by(&self, request_id: Option<&str>) -> Result<Option<Maintenance>, Refusal> {
        match request_id {
            Some(id) => self
                .store
                .maintenance_by_request(id)
                .await
                .map_err(|error| store_refusal(&error)),
            None => Ok(None),
        }
    }

    fn workflow_for(
        &self,
        choice: &Choice,
        database: &Database,
        primary: &Instance,
        standby: Option<Instance>,
        release: &Release,
        waivers: Vec<Waiver>,
    ) -> Result<NewWorkflow, Refusal> {
        match choice.method {
            Method::Restart => self.restart(database, primary, standby.as_ref(), release, waivers),
            Method::Changeover => self.changeover(database, primary, release, waivers),
            Method::Failover => {
                let standby = standby.expect("the choice needs one that is ready");
                self.failover(database, primary, &standby, release, waivers)
            }
        }
    }

    fn restart(
        &self,
        database: &Database,
        primary: &Instance,
        standby: Option<&Instance>,
        release: &Release,
        waivers: Vec<Waiver>,
    ) -> Result<NewWorkflow, Refusal> {
        let restart = Restart::new(
            database,
            primary,
            standby,
            release.name.clone(),
            self.world.plans.find(&database.plan)?.settings(),
            waivers,
        );
        Ok(self.workflow_of(database.id, &restart))
    }

    fn failover(
        &self,
        database: &Database,
        primary: &Instance,
        standby: &Instance,
        release: &Release,
        waivers: Vec<Waiver>,
    ) -> Result<NewWorkflow, Refusal> {
        let failover = Failover {
            switch: Switch::new(database, primary.host_id, primary.id, standby.id),
            followers: Followers::default(),
            release: release.name.clone(),
            settings: self.world.plans.find(&database.plan)?.settings(),
            waivers,
            report: None,
            run: None,
        };
        Ok(self.workflow_of(database.id, &failover))
    }

    fn changeover(
        &self,
        database: &Database,
        primary: &Instance,
        release: &Release,
        waivers: Vec<Waiver>,
    ) -> Result<NewWorkflow, Refusal> {
        let replacement = InstanceId(self.world.random.uuid());
        let changeover = Changeover {
            switch: Switch::new(database, primary.host_id, primary.id, replacement),
            followers: Followers::default(),
            release: release.name.clone(),
            settings: self.world.plans.find(&database.plan)?.settings(),
            waivers,
            report: None,
        };
        Ok(self.workflow_of(database.id, &changeover))
    }
}

impl Engine {
    fn follower_changeover(
        &self,
        database: &Database,
        leader: &Database,
        own: &Instance,
        release: &Release,
        waivers: Vec<Waiver>,
    ) -> Result<NewWorkflow, Refusal> {
        let plans = &self.world.plans;
        let changeover = FollowerChangeover {
            leader: leader.id,
            host: own.host_id,
            dbname: database.dbname.clone(),
            server_dbname: database.server_dbname.clone(),
            new: InstanceId(self.world.random.uuid()),
            release: release.name.clone(),
            settings: plans
                .find(&database.plan)?
                .settings_beside(plans.find(&leader.plan)?),
            waivers,
            report: None,
            seen: follower_changeover::Seen::default(),
        };
        Ok(self.workflow_of(database.id, &changeover))
    }
}

/// What was planned is done when this release runs; where no other release was planned, when any does.
fn is_done_with(planned: &Maintenance, release: &Release) -> bool {
    let same_release = planned.release_after == planned.release_before;
    same_release || planned.release_after == release.name.as_str()
}

fn waivers(request: &RunMaintenance) -> Result<Vec<Waiver>, Refusal> {
    let wishes = request.waivers.iter();
    wishes
        .map(|wish| grant(&wish.check, &wish.because, &request.by))
        .collect()
}

/// What has no window is maintained by itself, and not by hand.
fn refuse_without_window(plan: &Plan) -> Result<(), Refusal> {
    if plan.window {
        return Ok(());
    }
    if plan.is_essential() {
        // Heroku's words.
        let sentence = "You can't trigger maintenance on an Essential tier database.";
        return Err(Refusal::invalid(sentence));
    }
    Err(Refusal::invalid(format!(
        "you can't trigger maintenance on a database of the plan `{}`: it has no window",
        plan.name
    ))
    .with_hint("the table of plans says which have one: upkeep plans"))
}
