//! Before the hold: nothing of this is felt by clients, and nothing of it has to be undone.

use serde_json::json;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::instance::ProcessState;
use upkeep_domain::preflight::{Run as Moment, Way};

use super::Restart;
use crate::preflight::Subject;
use crate::procedure::shared::{activity, patch_standby, preflight, wait_for_long_transactions};
use crate::procedure::target;
use crate::workflow::{Done, Failure, Visit};

impl Restart {
    pub(super) async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let now = visit.observe(self.host, self.instance).await?;
        if now.process != ProcessState::Running || now.in_recovery != Some(false) {
            return Err(Failure::Final(
                "the database's own server does not run as a primary".to_owned(),
            ));
        }
        self.seen.target = Some(target(&now)?);
        self.seen.timeline = now.timeline;
        self.preflight(visit, Moment::Before).await?;
        let activity = activity(visit, self.host, self.instance, self.server_dbname()).await?;
        Ok(Done::new().detail(json!({
            "waiting_settings": self.seen.waiting,
            "bypassing_sessions": activity.bypassing_sessions,
        })))
    }

    /// Whether it would start again, and what the databases in it need of the release that it is to
    /// run on. Notes what a start would change.
    async fn preflight(&mut self, visit: &Visit<'_>, moment: Moment) -> Result<(), Failure> {
        let subject = Subject {
            run: moment,
            way: Way::RESTART,
            primary: self.instance,
            starts_as: self.instance,
            dbname: self.server_dbname.as_deref().unwrap_or(&self.dbname),
            target: &self.release,
            settings: &self.settings,
            own_slot: None,
            prepared: None,
            successor: None,
            waivers: &self.waivers,
        };
        self.seen.waiting = preflight(visit, self.host, &subject, &mut self.report).await?;
        Ok(())
    }

    /// A standby with less than its primary stops replaying, and one on an older release may not bear
    /// what its primary writes: it has the settings and the release before the primary has them.
    pub(super) async fn patch_standby(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let Some(standby) = self.standby else {
            return Ok(Done::new());
        };
        patch_standby(visit, self.host, standby, &self.release).await
    }

    /// Twice: the second has next to nothing left to write, and so has the stop.
    pub(super) async fn checkpoint(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let checkpoint = HostCommand::Checkpoint {
            instance: self.instance,
            times: 2,
        };
        visit.command(self.host, 0, checkpoint).await?;
        Ok(Done::new())
    }

    pub(super) async fn read_sessions(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let read = visit.traffic().read_sessions(&self.dbname).await?;
        Ok(Done::new().detail(json!({
            "sessions": read.sessions,
            "unmovable": read.unmovable,
            "at_risk": read.at_risk,
        })))
    }

    pub(super) async fn check_again(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let (host, instance) = (self.host, self.instance);
        wait_for_long_transactions(visit, host, instance, self.server_dbname()).await?;
        // Last of all: somebody may have changed the configuration meanwhile.
        self.preflight(visit, Moment::BeforeHold).await?;
        Ok(Done::new().detail(json!({ "waiting_settings": self.seen.waiting })))
    }
}
