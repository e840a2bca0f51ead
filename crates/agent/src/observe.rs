//! What can be seen of an instance. What cannot be is `None`: an observation never waits long and
//! never fails because a server does not answer.

use std::time::Duration;

use upkeep_domain::host_command::HostError;
use upkeep_domain::instance::{
    BackupProgress, FenceMeans, Observation, ProcessState, ReplayHeldBack,
};
use upkeep_domain::lsn::TimelineId;

use crate::control_data::ControlData;
use crate::fault::OrFailed;
use crate::host::{Host, Instance, locked};
use crate::record::Record;
use crate::room::{available_bytes, folder_bytes};
use crate::session::{Row, text, truth, value};
use crate::{disarm, identity, marks};

const ASK_WITHIN: Duration = Duration::from_secs(2);

/// The checkpointer is started anew with every restart, also when the server only ended its children.
/// A standby may have replayed from its files more than its receiver knows of.
const LOOK: &str = "SELECT r, \
    CASE WHEN r THEN greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()) \
         ELSE pg_catalog.pg_current_wal_flush_lsn() END, \
    pg_catalog.pg_last_wal_replay_lsn(), \
    CASE WHEN r THEN EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming') END, \
    CASE WHEN r THEN coalesce((SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver), \
                              (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())) \
         ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4 END, \
    (SELECT pid || ' since ' || backend_start FROM pg_catalog.pg_stat_activity WHERE backend_type = 'checkpointer'), \
    (SELECT coalesce(pg_catalog.string_agg(name, ' ' ORDER BY name), '') FROM pg_catalog.pg_settings WHERE pending_restart), \
    CASE WHEN NOT r THEN NULL \
         WHEN pg_catalog.pg_is_wal_replay_paused() THEN 'paused' \
         WHEN pg_catalog.current_setting('recovery_min_apply_delay') <> '0' THEN 'delayed' END \
    FROM pg_catalog.pg_is_in_recovery() AS r";

pub(crate) async fn observe(host: &Host, instance: &Instance) -> Result<Observation, HostError> {
    let Some(record) = Record::read(&instance.places).or_failed()? else {
        return Ok(absent(instance));
    };
    let mut seen = on_disk(host, instance, &record).or_failed()?;
    if seen.process == ProcessState::Running {
        let answer = match instance.session().await {
            Ok(session) => session.row(LOOK, ASK_WITHIN).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(row) => add_answer(&mut seen, &row),
            Err(error) => tracing::debug!(instance = %instance.id, %error, "no answer to a look"),
        }
    }
    Ok(seen)
}

fn absent(instance: &Instance) -> Observation {
    Observation {
        instance: instance.id,
        process: ProcessState::Absent,
        release: None,
        version: None,
        address: None,
        identity: None,
        accepts_connections: false,
        in_recovery: None,
        timeline: None,
        flushed_lsn: None,
        replayed_lsn: None,
        run: None,
        streaming: None,
        backup: None,
        disarmed: false,
        promotion_requested: false,
        fence: FenceMeans::default(),
        free_bytes: None,
        replay_held_back: None,
        waiting_settings: None,
    }
}

fn on_disk(host: &Host, instance: &Instance, record: &Record) -> Result<Observation, marks::Error> {
    let (places, data) = (&instance.places, instance.places.data());
    let process = match instance.server() {
        None => ProcessState::Stopped,
        Some(_) if instance.is_frozen() => ProcessState::Frozen,
        Some(_) => ProcessState::Running,
    };
    let release = host.releases.info(record.release.as_str()).ok();
    let control = ControlData::read(&data).ok().filter(|_| record.complete);
    Ok(Observation {
        process,
        release: Some(record.release.clone()),
        version: release.map(|release| release.version),
        address: Some(places.address()),
        identity: control.and_then(|_| identity::read(&data).ok()),
        timeline: control.map(|control| TimelineId(control.checkpoint_timeline.0)),
        backup: backup(instance, record),
        disarmed: disarm::is_disarmed(places),
        promotion_requested: marks::promotion_requested(places)?,
        fence: host.fence,
        free_bytes: available_bytes(&host.layout.dir).ok(),
        ..absent(instance)
    })
}

fn add_answer(seen: &mut Observation, row: &Row) {
    seen.accepts_connections = true;
    seen.in_recovery = truth(row, 0);
    seen.flushed_lsn = value(row, 1);
    // A primary that was a standby still remembers the last one it replayed.
    seen.replayed_lsn = value(row, 2).filter(|_| seen.in_recovery == Some(true));
    seen.streaming = truth(row, 3);
    seen.timeline = value(row, 4).map(TimelineId).or(seen.timeline);
    seen.run = text(row, 5).ok().map(str::to_owned);
    let names = text(row, 6).ok().map(str::split_ascii_whitespace);
    seen.waiting_settings = names.map(|names| names.map(str::to_owned).collect());
    seen.replay_held_back = match text(row, 7) {
        Ok("paused") => Some(ReplayHeldBack::Paused),
        Ok("delayed") => Some(ReplayHeldBack::Delayed),
        _ => None,
    };
}

/// Of instances that are copies.
fn backup(instance: &Instance, record: &Record) -> Option<BackupProgress> {
    record.upstream.as_ref()?;
    if let Some(bytes) = record.copied_bytes.filter(|_| record.complete) {
        return Some(BackupProgress::Done { bytes });
    }
    if let Some(copying) = locked(&instance.copying)
        .as_ref()
        .filter(|c| !c.task.is_finished())
    {
        let bytes_done = folder_bytes(&instance.places.data());
        return Some(BackupProgress::Running {
            bytes_done,
            bytes_total: Some(copying.bytes_total),
        });
    }
    let cut_off = || "the copy was cut off".to_owned();
    Some(BackupProgress::Failed {
        sentence: record.copy_failed.clone().unwrap_or_else(cut_off),
    })
}
