//! The way back: everything undone, in the order in which it is safe.
//!
//! The new server was never asked to become a primary, so the old one may take writes again. Every
//! step here can be done when there is nothing to undo.

use serde_json::json;
use upkeep_domain::hold::ReleaseOnto;
use upkeep_domain::host_command::{HostCommand, Outcome};

use super::Switch;
use crate::procedure::shared::let_everybody_go;
use crate::procedure::target;
use crate::workflow::{Done, Failure, Visit};

impl Switch {
    pub(crate) async fn rearm(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(self.host, 0, HostCommand::Rearm { instance: self.old })
            .await?;
        Ok(Done::new())
    }

    /// Thaws it; if it was stopped or died meanwhile, starts it again.
    pub(crate) async fn thaw(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        self.let_go_on(visit).await?;
        let old = visit.observe(self.host, self.old).await?;
        if !old.accepts_connections {
            return Err(Failure::Failed(
                "the old primary does not accept connections yet".to_owned(),
            ));
        }
        Ok(Done::new().detail(json!({ "timeline": old.timeline })))
    }

    /// Thaws the old primary, and remembers if it had to be started.
    pub(super) async fn let_go_on(&mut self, visit: &Visit<'_>) -> Result<(), Failure> {
        let thaw = HostCommand::Thaw { instance: self.old };
        if let Outcome::Started { observation } = visit.command(self.host, 0, thaw).await? {
            self.seen.started_again = Some(target(&observation)?);
        }
        Ok(())
    }

    pub(crate) async fn release_old(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        if let Some(target) = self.seen.started_again.clone() {
            // Whoever is held is given a session there; whoever was let go meanwhile has one.
            let anew = ReleaseOnto::Replacement { target };
            let_everybody_go(visit, &self.dbname, &anew).await?;
        }
        let_everybody_go(visit, &self.dbname, &ReleaseOnto::Same).await?;
        Ok(Done::new())
    }
}
