//! What is due for a database: the release that it is to run on, and what for.

use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::maintenance::method::{Cause, Method};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{Catalogue, Release, upgrade_allowed};
use upkeep_store::{Database, Instance};

use super::RunMaintenance;
use crate::Engine;
use crate::request::host_refusal;

impl Engine {
    /// The release that it is to run on, and what for.
    pub(super) async fn due<'a>(
        &self,
        catalogue: &'a Catalogue,
        primary: &Instance,
        request: &RunMaintenance,
        wanted: Option<Method>,
    ) -> Result<(&'a Release, Cause), Refusal> {
        let database = &request.database;
        let present = present(catalogue, database, primary)?;
        if let Some(named) = request.release.as_deref() {
            let release = named_release(catalogue, present, named)?;
            let cause = if release.name == present.name {
                self.cause_of_restart(primary, present).await?
            } else {
                Cause::NewRelease
            };
            return Ok((release, cause));
        }
        if wanted != Some(Method::Restart)
            && let Some(newest) = newest_after(catalogue, present)
        {
            return Ok((newest, Cause::NewRelease));
        }
        match self.cause_of_restart(primary, present).await? {
            Cause::SameRelease if wanted.is_none() => Err(nothing_due(database, present)),
            cause => Ok((present, cause)),
        }
    }

    /// Why the server would be started anew on the release that it is on.
    async fn cause_of_restart(
        &self,
        primary: &Instance,
        present: &Release,
    ) -> Result<Cause, Refusal> {
        let query = HostQuery::DryStart {
            instance: primary.id,
            release: present.name.clone(),
        };
        let answer = self.world.hosts.query(primary.host_id, &query).await;
        let dry_start = match answer.map_err(host_refusal)? {
            Answer::DryStart { dry_start } => dry_start,
            other => {
                let sentence = format!("unexpected answer {other:?}");
                return Err(Refusal::new(RefusalKind::Internal, sentence));
            }
        };
        let names: Vec<_> = dry_start.waiting.into_iter().map(|s| s.name).collect();
        Ok(if names.is_empty() {
            Cause::SameRelease
        } else {
            Cause::WaitingSettings(names)
        })
    }
}

fn present<'a>(
    catalogue: &'a Catalogue,
    database: &Database,
    primary: &Instance,
) -> Result<&'a Release, Refusal> {
    catalogue.find(&primary.release).map_err(|error| {
        Refusal::invalid(format!(
            "the release that `{}` runs on is gone from the store: {error}",
            database.name
        ))
    })
}

/// The release that was named, if it may follow the present one.
fn named_release<'a>(
    catalogue: &'a Catalogue,
    present: &Release,
    named: &str,
) -> Result<&'a Release, Refusal> {
    let release = catalogue
        .find(named)
        .map_err(|error| Refusal::not_found(error.to_string()))?;
    upgrade_allowed(present.version, release.version)
        .map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(release)
}

/// The newest release that may follow the present one.
fn newest_after<'a>(catalogue: &'a Catalogue, present: &Release) -> Option<&'a Release> {
    catalogue
        .iter()
        .filter(|release| release.version > present.version)
        .filter(|release| upgrade_allowed(present.version, release.version).is_ok())
        .max_by_key(|release| release.version)
}

fn nothing_due(database: &Database, present: &Release) -> Refusal {
    Refusal::new(
        RefusalKind::NotReady,
        format!(
            "nothing is due: `{}` runs on {}, the newest of its major in the store",
            database.name, present.version
        ),
    )
    .with_hint("add a newer release with upkeep releases:add, or name one with --release")
}
