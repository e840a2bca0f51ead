//! Points a standby at another upstream while it runs: its sessions do not notice.
//!
//! Since PostgreSQL 13 whom a standby streams from takes effect at a reload
//! (<https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-PRIMARY-CONNINFO>). It is written
//! down before the server is told, so that its next start goes there too.

use std::time::Duration;

use tokio::time::Instant;
use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::Address;
use upkeep_domain::refusal::RefusalKind;

use crate::fault::{OrFailed, refused};
use crate::host::{Host, Instance};
use crate::pause::pause;
use crate::record::Upstream;
use crate::session::value;
use crate::{copy, slot, start};

const ASK_WITHIN: Duration = Duration::from_secs(5);
/// A receiver waits up to `wal_retrieve_retry_interval`, 5 s, before it tries another time.
const STREAM_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the command says.
pub(crate) struct Wish {
    pub(crate) upstream: InstanceId,
    pub(crate) upstream_address: Address,
    pub(crate) slot: String,
}

pub(crate) async fn follow(
    host: &Host,
    instance: &Instance,
    wish: Wish,
) -> Result<Outcome, HostError> {
    let mut record = instance.complete_record()?;
    if !record.must_be_standby(&instance.places).or_failed()? {
        let sentence = format!("instance `{}` is no standby", instance.id);
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    let source = copy::reach(host, wish.upstream, &wish.upstream_address).await?;
    copy::refuse_another_cluster(instance, &source).await?;
    slot::ensure(&source, &wish.slot).await.or_failed()?;
    record.upstream = Some(Upstream {
        address: wish.upstream_address.clone(),
        slot: wish.slot,
    });
    record.save(&instance.places).or_failed()?;
    start::reload(host, instance)?;
    let not_yet = wait_until_it_streams(instance, &wish.upstream_address).await;
    Ok(Outcome::Follows { not_yet })
}

/// Why it does not stream from there; `None` when it does.
async fn wait_until_it_streams(instance: &Instance, upstream: &Address) -> Option<String> {
    let until = Instant::now() + STREAM_WITHIN;
    loop {
        if instance.server().is_none() {
            return Some("its server does not run".to_owned());
        }
        let streams = streams_from(instance, upstream).await;
        if streams == Ok(true) {
            return None;
        }
        if Instant::now() > until {
            let silent = "it does not stream from there".to_owned();
            return Some(streams.err().unwrap_or(silent));
        }
        pause(LOOK_EVERY).await;
    }
}

async fn streams_from(instance: &Instance, upstream: &Address) -> Result<bool, String> {
    const LOOK: &str = "SELECT sender_host, sender_port FROM pg_catalog.pg_stat_wal_receiver \
        WHERE status = 'streaming'";
    let look = async {
        let session = instance.session().await?;
        session.rows(LOOK, ASK_WITHIN).await
    };
    let rows = look.await.map_err(|error| error.to_string())?;
    let there = |row: &crate::session::Row| {
        value::<String>(row, 0).as_deref() == Some(upstream.host())
            && value::<u16>(row, 1) == Some(upstream.port())
    };
    Ok(rows.iter().any(there))
}
