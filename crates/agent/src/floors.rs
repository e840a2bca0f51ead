//! The settings of which a standby must not have less than its primary, or it stops replaying.
//!
//! <https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN>

use std::time::Duration;

use upkeep_domain::host_command::HostError;
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::preflight::Floor;
use upkeep_domain::release::Release;

use crate::fault::{OrFailed, failed};
use crate::host::{Host, Instance};
use crate::session::{self, Session, truth, value};
use crate::{configuration, dry_start};

const ASK_WITHIN: Duration = Duration::from_secs(10);
const NAMES: &str = "'max_connections', 'max_worker_processes', 'max_wal_senders', \
    'max_prepared_transactions', 'max_locks_per_transaction'";
const BY_PLAN: &str = "max_connections";
/// What the files say of a setting that waits for a restart; it is no error.
const WAITS: &str = "setting could not be applied";

pub(crate) async fn read(session: &Session) -> Result<Vec<Floor>, session::Error> {
    let sql = format!(
        "SELECT s.name, s.setting, f.setting, f.sourcefile LIKE '%/postgresql.auto.conf' \
         FROM pg_catalog.pg_settings s LEFT JOIN LATERAL \
           (SELECT setting, sourcefile FROM pg_catalog.pg_file_settings \
             WHERE name = s.name AND coalesce(error, '{WAITS}') = '{WAITS}' \
             ORDER BY seqno DESC LIMIT 1) f ON true \
         WHERE s.name IN ({NAMES}) ORDER BY 1"
    );
    let floor = |row: &session::Row| {
        Some(Floor {
            name: value(row, 0)?,
            running: value(row, 1)?,
            on_file: value(row, 2),
            by_system: truth(row, 3).unwrap_or_default(),
        })
    };
    let rows = session.rows(&sql, ASK_WITHIN).await?;
    Ok(rows.iter().filter_map(floor).collect())
}

/// Gives a copy, where it would start with less, what its source runs with or will after a restart, and what its
/// plan says.
pub(crate) async fn raise(
    host: &Host,
    copy: &Instance,
    release: &Release,
    floors: &[Floor],
    plan: &InstanceSettings,
) -> Result<(), HostError> {
    for Floor {
        name,
        running,
        on_file,
        ..
    } in floors
    {
        let planned = (name == BY_PLAN).then(|| i64::from(plan.max_connections));
        let least = [Some(*running), *on_file, planned];
        let Some(least) = least.into_iter().flatten().max() else {
            continue;
        };
        let own = dry_start::value_at_start(host, copy, release, name).await?;
        let own: i64 = own.parse().map_err(|_| failed(own))?;
        if own < least {
            let run_as = host.run_as.as_ref();
            configuration::set(&copy.places, name, least, run_as).or_failed()?;
        }
    }
    Ok(())
}
