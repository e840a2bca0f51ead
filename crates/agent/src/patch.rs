//! Moves a standby to another release of its major version: stopped, started on the other's programs, with the
//! settings that its upstream has by now.

use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::ReleaseName;

use crate::fault::{IntoError, OrFailed, refused};
use crate::host::{Host, Instance};
use crate::{inherit, start};

/// Whenever its record names the release, it was stopped before: what runs then runs on it.
pub(crate) async fn patch(
    host: &Host,
    instance: &Instance,
    release: &ReleaseName,
) -> Result<Outcome, HostError> {
    let mut record = instance.complete_record()?;
    if !record.must_be_standby(&instance.places).or_failed()? {
        let sentence = format!("instance `{}` is no standby", instance.id);
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    let release = host.releases.verified(release.as_str()).await;
    let release = release.map_err(|e| refused(RefusalKind::NotFound, e.to_string()))?;
    let present = host.releases.info(record.release.as_str()).or_failed()?;
    if present.version.major != release.version.major {
        let sentence = format!(
            "a standby of PostgreSQL {} cannot run on release `{}`",
            present.version.major, release.name
        );
        return Err(Refusal::invalid(sentence).into_error());
    }
    let inherited = inherit::inherit(host, instance, &mut record).await?;
    if record.release != release.name || inherited {
        start::stop(instance).await?;
        record.release = release.name;
        record.save(&instance.places).or_failed()?;
    }
    start::start(host, instance).await
}
