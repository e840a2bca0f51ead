//! A switch from its marker to the end of the old primary, with all that must not be done on the way.

use upkeep_domain::host_command::{Answer, HostCommand, HostQuery};

use super::Bench;
use super::stage::{ABSENT, FROZEN, Kind, PRIMARY, STANDBY, STOPPED, Stage, freeze, slot_of};

pub async fn a_standby_takes_over(bench: &dyn Bench) {
    let mut stage = Stage::new(bench);
    let old = stage.primary().await;
    let new = stage.standby_of(old).await;
    let (thaw, disarm) = (
        HostCommand::Thaw { instance: old },
        HostCommand::Disarm { instance: old },
    );
    let promote = HostCommand::Promote { instance: new };

    // What runs is neither taken out nor killed nor promoted, and a standby is no primary.
    stage.expects(disarm.clone(), Kind::Refused).await;
    let kill = HostCommand::KillInstance { instance: old };
    stage.expects(kill.clone(), Kind::Refused).await;
    let promote_old = HostCommand::Promote { instance: old };
    stage.expects(promote_old.clone(), Kind::Refused).await;
    let marker = stage.mark(old).await;
    stage.expects(freeze(new, marker), Kind::Refused).await;
    let mark_standby = stage.ask(HostQuery::Mark { instance: new }).await;
    assert!(mark_standby.is_err(), "{mark_standby:?}");
    stage.finds(old, PRIMARY).await;
    stage.finds(new, STANDBY).await;

    // Somebody commits behind the marker: it is told, and the primary goes on.
    bench.commit(old).await;
    stage.expects(freeze(old, marker), Kind::Behind).await;
    stage.finds(old, FROZEN).await;
    stage.expects(thaw.clone(), Kind::Done).await;
    stage.finds(old, PRIMARY).await;

    // Fenced, twice: the same.
    let marker = stage.mark(old).await;
    stage.expects(freeze(old, marker), Kind::Fenced).await;
    stage.expects(freeze(old, marker), Kind::Fenced).await;
    let start = HostCommand::StartInstance { instance: old };
    stage.expects(start.clone(), Kind::Refused).await;
    stage.expects(promote_old.clone(), Kind::Refused).await;
    stage.finds(old, FROZEN).await;
    let received = HostQuery::Received {
        instance: new,
        lsn: marker,
        wait_ms: 5_000,
    };
    match stage.ask(received).await {
        Ok(Answer::Received { received: true, .. }) => {}
        other => panic!("{other:?}"),
    }

    // Taken out, and back, and out: a disarmed one neither goes on nor takes over.
    stage.expects(disarm.clone(), Kind::Done).await;
    stage.expects(disarm.clone(), Kind::Done).await;
    stage.finds(old, FROZEN.disarmed()).await;
    stage.expects(thaw.clone(), Kind::Refused).await;
    stage.expects(promote_old.clone(), Kind::Refused).await;
    let rearm = HostCommand::Rearm { instance: old };
    stage.expects(rearm.clone(), Kind::Done).await;
    stage.expects(rearm, Kind::Done).await;
    stage.finds(old, FROZEN).await;
    stage.expects(disarm, Kind::Done).await;

    stage.expects(promote.clone(), Kind::Promoted).await;
    stage.expects(promote, Kind::Promoted).await;
    stage.finds(new, PRIMARY.asked_to_take_over()).await;
    bench.commit(new).await;

    // The old one can only come back as a standby.
    stage.expects(kill, Kind::Done).await;
    stage.finds(old, STOPPED.disarmed()).await;
    stage.expects(thaw, Kind::Refused).await;
    stage.expects(start, Kind::Started).await;
    stage.finds(old, STANDBY.disarmed()).await;
    let remove = HostCommand::RemoveInstance { instance: old };
    stage.expects(remove.clone(), Kind::Done).await;
    stage.expects(remove, Kind::Done).await;
    stage.finds(old, ABSENT).await;
    let drop = HostCommand::DropSlot {
        instance: old,
        slot: slot_of(new),
    };
    stage.expects(drop, Kind::Done).await;
}
