//! What a step changes beside its own workflow, in the same transaction.

use std::time::Duration;

use tokio_postgres::types::Json;
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::hold::Felt;
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::preflight::Report;

use super::Claim;
use crate::Error;
use crate::attachments;
use crate::connect::Transaction;
use crate::instances::InstanceRole;
use crate::statements::Ask as _;

#[derive(Clone, Debug)]
pub enum Change {
    /// An instance that is going to be made. Recorded before it is, so that it is never forgotten.
    InsertInstance {
        id: InstanceId,
        database: DatabaseId,
        host: HostId,
        release: String,
        role: InstanceRole,
    },
    DeleteInstance {
        id: InstanceId,
    },
    /// The database's traffic goes there from now on, under this claim's fence.
    Point {
        primary: InstanceId,
    },
    /// It follows the primary and stands ready from now on.
    Register {
        standby: InstanceId,
        follows: InstanceId,
    },
    /// The readers of a follower are on this instance from now on.
    PointReaders {
        database: DatabaseId,
        follower: InstanceId,
        follows: InstanceId,
    },
    /// A standby or follower streams from there.
    Follows {
        id: InstanceId,
        upstream: InstanceId,
    },
    /// The database is nobody's follower any more, and takes writes.
    Unfollowed,
    /// It was started on another release.
    SetRelease {
        id: InstanceId,
        release: String,
    },
    /// Taken over from; removed after the grace period.
    Retire {
        id: InstanceId,
        grace: Duration,
    },
    Provisioned,
    ProvisionFailed,
    DeleteDatabase,
    Felt {
        felt: Felt,
    },
    /// Settings that waited for this maintenance and took effect.
    Applied {
        settings: Vec<WaitingSetting>,
    },
    /// In the place of an earlier one of the same moment.
    Preflight {
        report: Box<Report>,
    },
}

impl Change {
    pub(super) async fn apply(
        &self,
        transaction: &Transaction<'_>,
        claim: &Claim,
    ) -> Result<(), Error> {
        let database = &claim.database.0;
        let done = match self {
            Self::InsertInstance { id, database, host, release, role } => {
                transaction
                    .execute(
                        "INSERT INTO upkeep.instances (id, database_id, host_id, release, role)
                         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                        &[&id.0, &database.0, &host.0, release, &role.as_str()],
                    )
                    .await
            }
            Self::DeleteInstance { id } => {
                transaction.execute("DELETE FROM upkeep.instances WHERE id = $1", &[&id.0]).await
            }
            Self::Point { primary } => {
                transaction
                    .execute(
                        "WITH r AS (UPDATE upkeep.instances SET role = 'primary', follows = NULL WHERE id = $2)
                         UPDATE upkeep.databases SET primary_instance = $2, route_fence = $3 WHERE id = $1",
                        &[database, &primary.0, &(claim.fence.0 as i64)],
                    )
                    .await
            }
            Self::Register { standby, follows } => {
                transaction
                    .execute(
                        "UPDATE upkeep.instances SET role = 'standby', follows = $2, silent_since = NULL,
                                retire_at = NULL WHERE id = $1",
                        &[&standby.0, &follows.0],
                    )
                    .await
            }
            Self::PointReaders { database, follower, follows } => {
                transaction
                    .execute(
                        "WITH r AS (
                             UPDATE upkeep.instances SET role = 'follower', follows = $3, silent_since = NULL WHERE id = $2)
                         UPDATE upkeep.databases SET primary_instance = $2, route_fence = $4 WHERE id = $1",
                        &[&database.0, &follower.0, &follows.0, &(claim.fence.0 as i64)],
                    )
                    .await
            }
            Self::Follows { id, upstream } => {
                transaction
                    .execute(
                        "UPDATE upkeep.instances SET follows = $2, silent_since = NULL WHERE id = $1",
                        &[&id.0, &upstream.0],
                    )
                    .await
            }
            Self::Unfollowed => {
                transaction.execute("UPDATE upkeep.databases SET follows = NULL WHERE id = $1", &[database]).await
            }
            Self::SetRelease { id, release } => {
                transaction
                    .execute("UPDATE upkeep.instances SET release = $2 WHERE id = $1", &[&id.0, release])
                    .await
            }
            Self::Retire { id, grace } => {
                transaction
                    .execute(
                        "UPDATE upkeep.instances SET role = 'retired',
                                retire_at = now() + $2::bigint * interval '1 millisecond' WHERE id = $1",
                        &[&id.0, &(grace.as_millis() as i64)],
                    )
                    .await
            }
            Self::Provisioned => attachments::set_provisioned(transaction, claim.database).await,
            Self::ProvisionFailed => {
                attachments::delete_all(transaction, claim.database)
                    .await
                    .map_err(Error::query("detach what could not be made"))?;
                transaction
                    .execute(
                        "UPDATE upkeep.databases SET state = 'failed', primary_instance = NULL WHERE id = $1",
                        &[database],
                    )
                    .await
            }
            Self::DeleteDatabase => {
                transaction.execute("DELETE FROM upkeep.databases WHERE id = $1", &[database]).await
            }
            Self::Felt { felt } => {
                transaction
                    .execute(
                        "UPDATE upkeep.maintenances SET felt = $2 WHERE id = $1",
                        &[&claim.maintenance.map(|id| id.0), &Json(felt)],
                    )
                    .await
            }
            Self::Applied { settings } => {
                transaction
                    .execute(
                        "UPDATE upkeep.maintenances SET settings_applied = $2 WHERE id = $1",
                        &[&claim.maintenance.map(|id| id.0), &Json(settings)],
                    )
                    .await
            }
            Self::Preflight { report } => {
                transaction
                    .execute(
                        "UPDATE upkeep.maintenances
                         SET preflight = preflight || pg_catalog.jsonb_build_object($2::text, $3::jsonb) WHERE id = $1",
                        &[&claim.maintenance.map(|id| id.0), &report.run.as_str(), &Json(report)],
                    )
                    .await
            }
        };
        done.map(drop).map_err(Error::query("apply a change"))
    }
}
