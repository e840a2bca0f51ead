//! The clean stop as a fence, where primaries may not be frozen.

use upkeep_domain::host_command::HostCommand;

use super::Bench;
use super::stage::{Kind, PRIMARY, STOPPED, Stage, freeze};

const WITHIN_MS: u64 = 30_000;

pub async fn a_primary_is_shut_down(bench: &dyn Bench) {
    let mut stage = Stage::new(bench);
    let old = stage.primary().await;
    let new = stage.standby_of(old).await;
    let marker = stage.mark(old).await;
    stage.expects(freeze(old, marker), Kind::NotFrozen).await;
    stage.finds(old, PRIMARY).await;
    let stop = HostCommand::StopPrimary {
        instance: old,
        within_ms: WITHIN_MS,
    };
    stage.expects(stop.clone(), Kind::ShutDown).await;
    stage.expects(stop.clone(), Kind::ShutDown).await;
    stage.finds(old, STOPPED).await;

    // The way back.
    let disarm = HostCommand::Disarm { instance: old };
    let thaw = HostCommand::Thaw { instance: old };
    stage.expects(disarm.clone(), Kind::Done).await;
    stage.expects(thaw.clone(), Kind::Refused).await;
    let rearm = HostCommand::Rearm { instance: old };
    stage.expects(rearm, Kind::Done).await;
    stage.expects(thaw, Kind::Started).await;
    stage.finds(old, PRIMARY).await;

    // The way there.
    stage.expects(stop, Kind::ShutDown).await;
    stage.expects(disarm, Kind::Done).await;
    stage.finds(old, STOPPED.disarmed()).await;
    let promote = HostCommand::Promote { instance: new };
    stage.expects(promote, Kind::Promoted).await;
    stage.finds(new, PRIMARY.asked_to_take_over()).await;
}
