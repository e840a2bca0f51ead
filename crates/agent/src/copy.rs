//! Copies a running instance and makes the copy its standby.
//!
//! The command only begins it: the copy goes on in a task of its own, and is observed. It is
//! complete when the record says so, which is the last thing written; anything less is wiped and
//! begun anew when the command comes again.

use std::sync::Arc;
use std::time::Duration;

use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{Address, InstanceSettings};
use upkeep_domain::preflight::Floor;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{Release, ReleaseName};

use crate::command::Command;
use crate::fault::{IntoError, OrFailed, refused};
use crate::host::{Copying, Host, Instance, locked};
use crate::record::{Record, Upstream};
use crate::releases::program;
use crate::room::{available_bytes, folder_bytes};
use crate::session::{Session, value};
use crate::{configuration, disarm, durable, floors, flush, identity, slot};

const ASK_WITHIN: Duration = Duration::from_secs(10);
const COPY_WITHIN: Duration = Duration::from_secs(24 * 3_600);
/// What the copy's WAL and its first minutes may take beside the data.
const SPARE_BYTES: u64 = 128 << 20;

/// What the command says.
pub(crate) struct Wish {
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    pub(crate) source: InstanceId,
    pub(crate) source_address: Address,
    pub(crate) slot: String,
    pub(crate) takes_over: bool,
    pub(crate) set_like: Option<Arc<Instance>>,
}

/// The instance whose settings the copy takes in the place of its source's.
struct Model {
    instance: Arc<Instance>,
    /// Of the source, which the copy must not be below.
    floors: Vec<Floor>,
    /// Of the copy.
    release: Release,
}

pub(crate) async fn begin(
    host: &Arc<Host>,
    instance: &Arc<Instance>,
    wish: Wish,
) -> Result<Outcome, HostError> {
    let upstream = Upstream {
        address: wish.source_address.clone(),
        slot: wish.slot.clone(),
    };
    if let Some(there) = Record::read(&instance.places).or_failed()? {
        let same = there.upstream.as_ref() == Some(&upstream) && there.release == wish.release;
        if !same {
            let sentence = format!("there is another instance `{}` already", instance.id);
            return Err(refused(RefusalKind::Conflict, sentence));
        }
        if there.complete || is_under_way(instance) {
            return Ok(Outcome::Done);
        }
    }
    let (release, tool) = programs(host, &wish.release).await?;
    let source = reach(host, wish.source, &wish.source_address).await?;
    let bytes_total = check_source(host, &source, &release).await?;
    slot::ensure(&source, &wish.slot).await.or_failed()?;

    let mut record = Record::new(release.name.clone(), wish.settings.clone());
    record.upstream = Some(upstream);
    record.takes_over = wish.takes_over;
    record.syncs_slots = slot::can_sync(&source, &record).await.or_failed()?;
    durable::remove_folder(&instance.places.data()).or_failed()?;
    instance.places.make(host.run_as.as_ref()).or_failed()?;
    record.save(&instance.places).or_failed()?;
    let tool = pg_basebackup(host, instance, &tool, &wish)?;
    let model = match wish.set_like {
        Some(other) => Some(Model {
            instance: other,
            floors: floors::read(&source).await.or_failed()?,
            release,
        }),
        None => None,
    };
    let copying = copy(host.clone(), instance.clone(), record, tool, model);
    let task = tokio::spawn(copying);
    *locked(&instance.copying) = Some(Copying {
        task: task.abort_handle(),
        bytes_total,
    });
    Ok(Outcome::Done)
}

fn is_under_way(instance: &Instance) -> bool {
    locked(&instance.copying)
        .as_ref()
        .is_some_and(|copying| !copying.task.is_finished())
}

/// The copy's own release, and the one whose `pg_basebackup` makes it.
async fn programs(host: &Host, name: &ReleaseName) -> Result<(Release, Release), HostError> {
    let release = host.releases.verified(name.as_str()).await;
    let release = release.map_err(|e| refused(RefusalKind::NotFound, e.to_string()))?;
    let releases = host.releases.list().or_failed()?;
    let tool = releases.basebackup_for(&release).cloned().ok_or_else(|| {
        let sentence = format!("no release here has a `pg_basebackup` that can copy for `{name}`");
        let hint = "add a release of the same major version or a newer one that has it";
        Refusal::new(RefusalKind::Unavailable, sentence)
            .with_hint(hint)
            .into_error()
    })?;
    Ok((release, tool))
}

pub(crate) async fn reach(
    host: &Host,
    source: InstanceId,
    address: &Address,
) -> Result<Session, HostError> {
    let reached = match identity::read(&host.instance(source).places.data()) {
        Ok(identity) => Session::open(address, &identity).await,
        // On another host; its agent knows its token, we do not.
        Err(_) => Session::open_unchecked(address, "postgres").await,
    };
    reached.map_err(|error| {
        let why = ErrorChain(&error);
        refused(
            RefusalKind::Unavailable,
            format!("the source cannot be reached: {why}"),
        )
    })
}

/// Refuses a server whose history this instance does not share.
pub(crate) async fn refuse_another_cluster(
    instance: &Instance,
    source: &Session,
) -> Result<(), HostError> {
    let own = identity::read(&instance.places.data()).or_failed()?;
    let sql = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
    let row = source.row(sql, ASK_WITHIN).await.or_failed()?;
    let theirs = value::<i64>(&row, 0).map(i64::cast_unsigned);
    if theirs == Some(own.system_identifier) {
        return Ok(());
    }
    let sentence = format!("instance `{}` is of another cluster", instance.id);
    Err(refused(RefusalKind::Conflict, sentence))
}

/// Refuses what would fail half-way; tells how many bytes there are to copy.
async fn check_source(host: &Host, source: &Session, release: &Release) -> Result<u64, HostError> {
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000, \
        (SELECT count(*) FROM pg_catalog.pg_tablespace), \
        (SELECT sum(pg_catalog.pg_database_size(oid))::pg_catalog.int8 FROM pg_catalog.pg_database)";
    let row = source.row(sql, ASK_WITHIN).await.or_failed()?;
    let major = value::<u16>(&row, 0).unwrap_or_default();
    if major != release.version.major {
        let sentence = format!(
            "a copy of PostgreSQL {major} cannot run on release `{}`",
            release.name
        );
        return Err(Refusal::invalid(sentence).into_error());
    }
    if value::<u32>(&row, 1) != Some(2) {
        let sentence =
            "the source has tablespaces, whose paths a copy on the same host would share";
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    let bytes: u64 = value(&row, 2).unwrap_or_default();
    let available = available_bytes(&host.layout.dir).or_failed()?;
    let needed = bytes + bytes / 10 + SPARE_BYTES;
    if available < needed {
        let sentence = format!("a copy needs {needed} bytes and {available} are available");
        let hint = "make room on the host's file system and try again";
        return Err(Refusal::new(RefusalKind::Unavailable, sentence)
            .with_hint(hint)
            .into_error());
    }
    Ok(bytes)
}

fn pg_basebackup(
    host: &Host,
    instance: &Instance,
    tool: &Release,
    wish: &Wish,
) -> Result<Command, HostError> {
    let command = program(tool, "pg_basebackup").or_failed()?;
    Ok(command
        .arg("-D")
        .arg(instance.places.data())
        .arg("-d")
        .arg(configuration::conninfo(&wish.source_address, &wish.slot))
        .args([
            "-X",
            "stream",
            "--checkpoint=fast",
            "--no-sync",
            "--no-password",
        ])
        .arg(format!("--slot={}", wish.slot))
        .run_as(host.run_as.clone())
        .deadline(COPY_WITHIN)
        .die_with_parent())
}

async fn copy(
    host: Arc<Host>,
    instance: Arc<Instance>,
    mut record: Record,
    tool: Command,
    model: Option<Model>,
) {
    let failed = match tool.run().await {
        Ok(_) => set_and_finish(&host, &instance, &mut record, model.as_ref())
            .await
            .err()
            .map(|e| ErrorChain(&e).to_string()),
        Err(error) => Some(ErrorChain(&error).to_string()),
    };
    let Some(sentence) = failed else { return };
    tracing::warn!(instance = %instance.id, sentence, "copy failed");
    record.copy_failed = Some(sentence);
    record.complete = false;
    if let Err(error) = record.save(&instance.places) {
        tracing::error!(instance = %instance.id, %error, "failure of a copy not written down");
    }
}

async fn set_and_finish(
    host: &Host,
    instance: &Instance,
    record: &mut Record,
    model: Option<&Model>,
) -> Result<(), HostError> {
    let (places, run_as) = (&instance.places, host.run_as.as_ref());
    match model {
        Some(model) => configuration::take_from(&model.instance.places, places, run_as),
        None => configuration::forget_what_must_not_travel(places, run_as),
    }
    .or_failed()?;
    make_its_own(host, instance, record).await.or_failed()?;
    if let Some(model) = model {
        let (release, floors) = (&model.release, &model.floors);
        floors::raise(host, instance, release, floors, &record.settings).await?;
    }
    complete(instance, record).or_failed()
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FinishError {
    #[error(transparent)]
    Flush(#[from] flush::Error),
    #[error(transparent)]
    Durable(#[from] durable::Error),
    #[error(transparent)]
    Identity(#[from] identity::Error),
    #[error(transparent)]
    Record(#[from] crate::record::Error),
}

/// What a rewind has made of an old primary is one of its own, a standby, without what was true of its source only.
pub(crate) async fn finish(
    host: &Host,
    instance: &Instance,
    record: &mut Record,
) -> Result<(), FinishError> {
    configuration::forget_what_must_not_travel(&instance.places, host.run_as.as_ref())?;
    make_its_own(host, instance, record).await?;
    complete(instance, record)
}

/// Named anew, and a standby.
async fn make_its_own(
    host: &Host,
    instance: &Instance,
    record: &Record,
) -> Result<(), FinishError> {
    let (places, run_as) = (&instance.places, host.run_as.as_ref());
    flush::flush_gently(&places.data()).await?;
    disarm::remove_mark(places)?;
    identity::renew(&places.data(), run_as)?;
    disarm::ensure_standby(places, run_as)?;
    configuration::write(places, record, run_as)?;
    Ok(())
}

/// The last thing written.
fn complete(instance: &Instance, record: &mut Record) -> Result<(), FinishError> {
    record.copied_bytes = Some(folder_bytes(&instance.places.data()));
    record.complete = true;
    record.save(&instance.places)?;
    Ok(())
}
