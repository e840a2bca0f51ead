//! The real agent keeps to what every host keeps to, on real servers.

use async_trait::async_trait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::ports::Hosts;
use upkeep_domain::release::ReleaseName;
use upkeep_testkit::conformance::Bench;

use crate::world::{World, wait_for};

struct Real {
    world: World,
    release: ReleaseName,
}

impl Real {
    async fn new() -> Self {
        Self::fenced_by(FenceMeans::default()).await
    }

    async fn fenced_by(fence: FenceMeans) -> Self {
        let (world, release) = World::fenced_by(fence).await;
        Self { world, release }
    }
}

#[async_trait(?Send)]
impl Bench for Real {
    fn hosts(&self) -> &dyn Hosts {
        &self.world.agent
    }

    fn host(&self) -> HostId {
        self.world.host()
    }

    fn release(&self) -> ReleaseName {
        self.release.clone()
    }

    async fn commit(&self, instance: InstanceId) {
        let client = self.world.client(instance).await;
        let commit =
            "CREATE TABLE IF NOT EXISTS conformance (n int); INSERT INTO conformance VALUES (1)";
        client.batch_execute(commit).await.unwrap();
    }

    async fn crash(&self, instance: InstanceId) {
        for pid in self.world.processes(instance) {
            // Its children may be faster.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let dead = || self.world.processes(instance).is_empty();
        wait_for("all of its processes are gone", dead).await;
    }
}

upkeep_testkit::every_script_is_kept_to!(
    Real::new().await,
    Real::fenced_by(FenceMeans::CleanStop).await
);
