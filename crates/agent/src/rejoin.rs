//! Brings an old primary back as the standby of the one that took over.
//!
//! Theory of operation. The new primary's history says up to where both are the same: the fork. What
//! the old one has on disk is read without starting it, because a start would already go beyond. If
//! nothing stands behind the fork it follows as it is. Otherwise `pg_rewind` takes back what does; what
//! that leaves half done is never started, because its record says that it is not complete.
//!
//! From the first thing written it can only start as a standby, whichever of the marks is there.

use std::time::Duration;

use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{Address, InstanceSettings};
use upkeep_domain::lsn::{Lsn, TimelineId};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{Release, ReleaseName};

use crate::control_data::ControlData;
use crate::copy;
use crate::fault::{IntoError, OrFailed, failed, refused};
use crate::host::{Host, Instance};
use crate::promote;
use crate::record::{Record, Upstream};
use crate::releases::program;
use crate::room::folder_bytes;
use crate::session::{Session, text};
use crate::{configuration, disarm, marks, slot, start, wal};

const PROGRAM: &str = "pg_rewind";
const ASK_WITHIN: Duration = Duration::from_secs(10);
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(600);
const REWIND_WITHIN: Duration = Duration::from_secs(3_000);

/// What the command says.
pub(crate) struct Wish {
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    pub(crate) upstream: InstanceId,
    pub(crate) upstream_address: Address,
    pub(crate) slot: String,
}

pub(crate) async fn rejoin(
    host: &Host,
    instance: &Instance,
    wish: Wish,
) -> Result<Outcome, HostError> {
    let before = instance.complete_record()?;
    let upstream = Upstream {
        address: wish.upstream_address.clone(),
        slot: wish.slot.clone(),
    };
    let follows = before.upstream.as_ref() == Some(&upstream);
    if follows
        && before.must_be_standby(&instance.places).or_failed()?
        && before.release == wish.release
    {
        // It was done before, or all but its end; what had died since is started again.
        disarm::remove_mark(&instance.places).or_failed()?;
        start::start(host, instance).await?;
        return Ok(Outcome::Rejoined { rewound: false });
    }
    refuse_others(instance)?;
    let release = host.releases.verified(wish.release.as_str()).await;
    let release = release.map_err(|e| refused(RefusalKind::NotFound, e.to_string()))?;
    let source = copy::reach(host, wish.upstream, &wish.upstream_address).await?;
    let ahead = ahead(instance, &source).await?;
    slot::ensure(&source, &wish.slot).await.or_failed()?;
    let mut record = Record::new(release.name.clone(), wish.settings.clone());
    record.upstream = Some(upstream);
    if ahead {
        rewind(host, instance, &mut record, &release, &source).await?;
    } else {
        follow(host, instance, &mut record)?;
    }
    start::start(host, instance).await?;
    Ok(Outcome::Rejoined { rewound: ahead })
}

fn refuse_others(instance: &Instance) -> Result<(), HostError> {
    let id = instance.id;
    let sentence = if instance.server().is_some() {
        format!("instance `{id}` runs; end it before it rejoins")
    } else if !disarm::is_disarmed(&instance.places) {
        format!("instance `{id}` was not taken out as a primary")
    } else {
        return Ok(());
    };
    Err(refused(RefusalKind::Conflict, sentence))
}

/// Whether it has written behind the place where the history of the other begins.
async fn ahead(instance: &Instance, source: &Session) -> Result<bool, HostError> {
    let data = instance.places.data();
    let control = ControlData::read(&data).or_failed()?;
    let fork = fork(source, control.checkpoint_timeline).await?;
    let read = tokio::task::spawn_blocking(move || wal::behind(&data, control.checkpoint_redo));
    let end = read.await.or_failed()?.or_failed()?.end;
    Ok(end.as_record_end() > fork.as_record_end())
}

/// Where the timeline that the source is on leaves `own`.
async fn fork(source: &Session, own: TimelineId) -> Result<Lsn, HostError> {
    let timeline = promote::timeline(source).await?;
    let sql = format!(
        "SELECT pg_catalog.pg_read_file('pg_wal/{:08X}.history')",
        timeline.0
    );
    let row = source.row(&sql, ASK_WITHIN).await.or_failed()?;
    let history = text(&row, 0).or_failed()?;
    left(history, own).ok_or_else(|| {
        let sentence = format!(
            "timeline {} of the new primary does not come from timeline {}",
            timeline.0, own.0
        );
        Refusal::new(RefusalKind::Conflict, sentence).into_error()
    })
}

/// <https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES>
fn left(history: &str, timeline: TimelineId) -> Option<Lsn> {
    history.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let number: u32 = words.next()?.parse().ok()?;
        let lsn = words.next()?.parse().ok()?;
        (number == timeline.0).then_some(lsn)
    })
}

/// It takes what it has for the beginning of what it is going to stream.
fn follow(host: &Host, instance: &Instance, record: &mut Record) -> Result<(), HostError> {
    let (places, run_as) = (&instance.places, host.run_as.as_ref());
    record.copied_bytes = Some(folder_bytes(&places.data()));
    record.complete = true;
    configuration::forget_what_must_not_travel(places, run_as).or_failed()?;
    disarm::ensure_standby(places, run_as).or_failed()?;
    record.save(places).or_failed()?;
    marks::forget_promotion(places).or_failed()?;
    disarm::remove_mark(places).or_failed()
}

/// <https://www.postgresql.org/docs/current/app-pgrewind.html>
async fn rewind(
    host: &Host,
    instance: &Instance,
    record: &mut Record,
    release: &Release,
    source: &Session,
) -> Result<(), HostError> {
    if release.program(PROGRAM).is_none() {
        let sentence = format!(
            "it has written behind the fork, and release `{}` has no `{PROGRAM}`",
            release.name
        );
        return Err(refused(RefusalKind::Unavailable, sentence));
    }
    let places = &instance.places;
    // The source's control file must name its new timeline, or it is taken for the old one.
    source
        .run("CHECKPOINT", CHECKPOINT_WITHIN)
        .await
        .or_failed()?;
    record.save(places).or_failed()?;
    marks::forget_promotion(places).or_failed()?;
    // The program ends a crash recovery first, which a standby would never end.
    disarm::remove_signal(places).or_failed()?;
    let Upstream { address, slot } = record
        .upstream
        .as_ref()
        .ok_or_else(|| failed("a rewind needs somebody to follow"))?;
    let from = format!("{} dbname=postgres", configuration::conninfo(address, slot));
    let command = program(release, PROGRAM).or_failed()?;
    let rewound = command
        .arg("-D")
        .arg(places.data())
        .arg(format!("--source-server={from}"))
        .run_as(host.run_as.clone())
        .deadline(REWIND_WITHIN)
        .die_with_parent();
    rewound.run().await.or_failed()?;
    copy::finish(host, instance, record).await.or_failed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_says_where_a_timeline_was_left() {
        let history = "1\t0/3000148\tno recovery target specified\n\n2\t1/50\tbecause\n";
        assert_eq!(left(history, TimelineId(1)), Some(Lsn(0x300_0148)));
        assert_eq!(left(history, TimelineId(2)), Some(Lsn((1 << 32) + 0x50)));
        assert_eq!(left(history, TimelineId(3)), None);
        assert_eq!(left("", TimelineId(1)), None);
    }
}
