//! Makes an instance: initdb, its token, and Upkeep's configuration. Does not start it.

use std::time::Duration;

use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::refusal::RefusalKind;
use upkeep_domain::release::ReleaseName;

use crate::configuration::{self, SUPERUSER};
use crate::durable;
use crate::fault::{OrFailed, refused};
use crate::host::{Host, Instance};
use crate::identity;
use crate::record::Record;
use crate::releases::program;

const INITDB_WITHIN: Duration = Duration::from_secs(120);
/// The same everywhere, so that a copy sorts as its source does whatever libraries it has.
const LOCALE: &str = "C.UTF-8";

pub(crate) async fn create(
    host: &Host,
    instance: &Instance,
    release: ReleaseName,
    settings: InstanceSettings,
) -> Result<Outcome, HostError> {
    let places = &instance.places;
    if let Some(there) = Record::read(places).or_failed()? {
        let same = there.release == release && there.settings == settings;
        match there.complete {
            true if same && there.upstream.is_none() => return Ok(Outcome::Done),
            false if there.upstream.is_none() => {}
            _ => {
                let sentence = format!("there is another instance `{}` already", instance.id);
                return Err(refused(RefusalKind::Conflict, sentence));
            }
        }
    }
    let release = host.releases.verified(release.as_str()).await;
    let release = release.map_err(|e| refused(RefusalKind::NotFound, e.to_string()))?;
    let initdb = program(&release, "initdb").or_failed()?;
    let mut record = Record::new(release.name, settings);
    durable::remove_folder(&places.data()).or_failed()?;
    places.make(host.run_as.as_ref()).or_failed()?;
    record.save(places).or_failed()?;
    let initdb = initdb
        .arg("-D")
        .arg(places.data())
        .args(["-U", SUPERUSER, "--encoding=UTF8", "--data-checksums"])
        .args([format!("--locale={LOCALE}"), "--auth-local=peer".to_owned()])
        .arg("--auth-host=reject")
        .run_as(host.run_as.clone())
        .deadline(INITDB_WITHIN)
        .die_with_parent();
    initdb.run().await.or_failed()?;
    identity::renew(&places.data(), host.run_as.as_ref()).or_failed()?;
    configuration::write(places, &record, host.run_as.as_ref()).or_failed()?;
    record.complete = true;
    record.save(places).or_failed()?;
    Ok(Outcome::Done)
}
