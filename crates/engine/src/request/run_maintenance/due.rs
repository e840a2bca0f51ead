//! What is due for a database: the release that it is to run on, and what for.

use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::maintenance::method::{Cause, Method};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{Catalogue, Release, Version, knowledge, upgrade_allowed};
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
                self.cause_of_restart(database, primary, present).await?
            } else {
                Cause::NewRelease
            };
            return Ok((release, cause));
        }
        if wanted != Some(Method::Restart)
            && let Some(newest) = catalogue.newest_after(present)
        {
            return Ok((newest, Cause::NewRelease));
        }
        match self.cause_of_restart(database, primary, present).await? {
            Cause::SameRelease
                if wanted.is_none() && !self.is_planned_on(database, present).await? =>
            {
                Err(nothing_due(database, present))
            }
            cause => Ok((present, cause)),
        }
    }

    /// Something is planned that needs no other release, such as what is routine.
    async fn is_planned_on(&self, database: &Database, present: &Release) -> Result<bool, Refusal> {
        let planned = self.planned(database).await?;
        Ok(planned
            .is_some_and(|planned| planned.maintenance.release_after == present.name.as_str()))
    }

    /// Why the server would be started anew on the release that it is on.
    async fn cause_of_restart(
        &self,
        database: &Database,
        primary: &Instance,
        present: &Release,
    ) -> Result<Cause, Refusal> {
        // A follower is never restarted, and the one that is to be replaced may not answer.
        if database.follows.is_some() {
            return Ok(Cause::SameRelease);
        }
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
    if release.name != present.name {
        refuse_withdrawn(release.version)?;
    }
    Ok(release)
}

fn refuse_withdrawn(version: Version) -> Result<(), Refusal> {
    let Some(because) = knowledge::withdrawn(version) else {
        return Ok(());
    };
    let sentence = format!("{version} is not to be used: {because}");
    let hint = format!("choose another one; see {}", knowledge::notes(version));
    Err(Refusal::invalid(sentence).with_hint(hint))
}

fn nothing_due(database: &Database, present: &Release) -> Refusal {
    Refusal::new(
        RefusalKind::NotReady,
        format!(
            "nothing is due: `{}` runs on {}, the newest of its major in the store",
            database.name, present.version
        ),
    )
    .with_hint("add a newer release with upkeep releases:add, name one with --release, or restart it all the same with --method restart")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_withdrawn_release_is_not_taken() {
        let refusal = refuse_withdrawn(Version::new(17, 1)).unwrap_err();
        assert!(refusal.sentence.contains("17.1 is not to be used"));
        assert!(refusal.hint.unwrap().contains("release-17-1.html"));
    }
}
