//! A standby onto another release, with what people have set on its primary meanwhile.

use upkeep_domain::host_command::HostCommand;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::release::ReleaseName;
use upkeep_store::Change;

use crate::workflow::{Done, Failure, Visit};

pub(crate) async fn patch_standby(
    visit: &Visit<'_>,
    host: HostId,
    standby: InstanceId,
    release: &ReleaseName,
) -> Result<Done, Failure> {
    let patch = HostCommand::PatchStandby {
        instance: standby,
        release: release.clone(),
    };
    visit.command(host, 0, patch).await?;
    Ok(Done::new().with(Change::SetRelease {
        id: standby,
        release: release.to_string(),
    }))
}
