//! What is not there, not complete, or not related.

use upkeep_domain::host_command::HostCommand;
use upkeep_domain::id::InstanceId;
use uuid::Uuid;

use super::Bench;
use super::stage::{ABSENT, Kind, PRIMARY, STANDBY, STOPPED, Stage, freeze, slot_of};

/// Nothing is done to what is not there; what was to be taken away is gone.
pub async fn what_is_not_there(bench: &dyn Bench) {
    let mut stage = Stage::new(bench);
    let primary = stage.primary().await;
    let marker = stage.mark(primary).await;
    let instance = InstanceId(Uuid::now_v7());
    for command in [
        HostCommand::StartInstance { instance },
        HostCommand::Thaw { instance },
        HostCommand::Disarm { instance },
        HostCommand::Rearm { instance },
        HostCommand::Promote { instance },
        HostCommand::KillInstance { instance },
        freeze(instance, marker),
    ] {
        stage.expects(command, Kind::Refused).await;
    }
    let drop = HostCommand::DropSlot {
        instance,
        slot: slot_of(instance),
    };
    stage.expects(drop, Kind::Done).await;
    let remove = HostCommand::RemoveInstance { instance };
    stage.expects(remove, Kind::Done).await;
    stage.finds(instance, ABSENT).await;

    // A slot of one that does not answer stays.
    let stop = HostCommand::StopInstance { instance: primary };
    stage.expects(stop.clone(), Kind::Done).await;
    stage.expects(stop, Kind::Done).await;
    stage.finds(primary, STOPPED).await;
    let drop = HostCommand::DropSlot {
        instance: primary,
        slot: slot_of(instance),
    };
    stage.expects(drop, Kind::Failed).await;
}

/// A standby follows its own cluster only, and a primary nobody.
pub async fn another_cluster(bench: &dyn Bench) {
    let mut stage = Stage::new(bench);
    let primary = stage.primary().await;
    let standby = stage.standby_of(primary).await;
    let other = stage.primary().await;
    let (own, foreign) = (stage.address(primary).await, stage.address(other).await);
    let follow = |instance, upstream, upstream_address| HostCommand::Follow {
        instance,
        upstream,
        upstream_address,
        slot: slot_of(instance),
    };
    let strange = follow(standby, other, foreign);
    stage.expects(strange, Kind::Refused).await;
    let again = follow(standby, primary, own.clone());
    stage.expects(again, Kind::Follows).await;
    let leads = follow(other, primary, own);
    stage.expects(leads, Kind::Refused).await;
    stage.finds(standby, STANDBY).await;
    stage.finds(other, PRIMARY).await;
}
