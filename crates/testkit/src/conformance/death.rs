//! Servers that die of themselves in a switch.

use upkeep_domain::host_command::HostCommand;

use super::Bench;
use super::stage::{Kind, PRIMARY, STANDBY, STOPPED, Stage, freeze};

/// A dead one is as good as fenced, unless somebody has committed behind the marker.
pub async fn a_primary_that_died(bench: &dyn Bench) {
    let mut stage = Stage::new(bench);
    let old = stage.primary().await;
    let thaw = HostCommand::Thaw { instance: old };
    let marker = stage.mark(old).await;
    bench.commit(old).await;
    bench.crash(old).await;
    stage.finds(old, STOPPED).await;
    stage.expects(freeze(old, marker), Kind::Behind).await;
    stage.expects(thaw.clone(), Kind::Started).await;
    stage.finds(old, PRIMARY).await;

    let marker = stage.mark(old).await;
    bench.crash(old).await;
    stage.expects(freeze(old, marker), Kind::Fenced).await;
    let disarm = HostCommand::Disarm { instance: old };
    stage.expects(disarm, Kind::Done).await;
    stage.expects(thaw.clone(), Kind::Refused).await;
    let rearm = HostCommand::Rearm { instance: old };
    stage.expects(rearm, Kind::Done).await;
    stage.expects(thaw, Kind::Started).await;
    stage.finds(old, PRIMARY).await;
}

/// Whoever is to be promoted is started for it, if it has died.
pub async fn a_standby_that_died(bench: &dyn Bench) {
    let mut stage = Stage::new(bench);
    let old = stage.primary().await;
    let new = stage.standby_of(old).await;
    bench.crash(new).await;
    stage.finds(new, STOPPED).await;
    let start = HostCommand::StartInstance { instance: new };
    stage.expects(start, Kind::Started).await;
    stage.finds(new, STANDBY).await;
    let marker = stage.mark(old).await;
    stage.expects(freeze(old, marker), Kind::Fenced).await;
    let disarm = HostCommand::Disarm { instance: old };
    stage.expects(disarm, Kind::Done).await;
    bench.crash(new).await;
    let promote = HostCommand::Promote { instance: new };
    stage.expects(promote, Kind::Promoted).await;
    stage.finds(new, PRIMARY.asked_to_take_over()).await;
}
