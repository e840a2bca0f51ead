//! What a host or an endpoint keeps to, whoever plays it: the same scripts for the simulated ones, on which engines are
//! proven, and for the real agent and the real endpoint. Where the two differ, a proof on the one says nothing of the other.
//!
//! A script knows commands and what is to come of them, and nothing of who carries them out. It does not look at what
//! only one of them has: data, files, and time.

mod absence;
mod death;
mod order;
mod shutdown;
mod stage;
mod switch;
mod traffic;

use async_trait::async_trait;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::ports::Hosts;
use upkeep_domain::release::ReleaseName;

pub use absence::{another_cluster, what_is_not_there};
pub use death::{a_primary_that_died, a_standby_that_died};
pub use order::who_speaks_last;
pub use shutdown::a_primary_is_shut_down;
pub use switch::a_standby_takes_over;
pub use traffic::{
    TrafficBench, onto_which_server, what_is_done_twice, what_it_does_not_know, whom_it_listens_to,
};

/// One host on which nothing is yet, and what happens to its servers without a command.
#[async_trait(?Send)]
pub trait Bench: Sync {
    fn hosts(&self) -> &dyn Hosts;

    fn host(&self) -> HostId;

    /// One that can be run there.
    fn release(&self) -> ReleaseName;

    /// Somebody who comes past the endpoint commits, and is told so.
    async fn commit(&self, instance: InstanceId);

    /// The server dies with all of its processes.
    async fn crash(&self, instance: InstanceId);
}

/// A primary that runs there.
pub async fn primary(bench: &dyn Bench) -> InstanceId {
    stage::Stage::new(bench).primary().await
}

/// A test for each script, so that no host is without one. `$bench` makes the host of one test; `$stopping` makes one
/// whose primaries are stopped and not frozen. `traffic: $bench` is for endpoints.
#[macro_export]
macro_rules! every_script_is_kept_to {
    ($bench:expr, $stopping:expr) => {
        $crate::every_script_is_kept_to!(@each $bench;
            a_standby_takes_over, a_primary_that_died, a_standby_that_died, who_speaks_last, what_is_not_there,
            another_cluster);
        $crate::every_script_is_kept_to!(@each $stopping; a_primary_is_shut_down);
    };
    (traffic: $bench:expr) => {
        $crate::every_script_is_kept_to!(@each $bench;
            what_is_done_twice, onto_which_server, whom_it_listens_to, what_it_does_not_know);
    };
    (@each $bench:expr; $($script:ident),+) => {
        $(#[tokio::test]
        async fn $script() {
            $crate::conformance::$script(&$bench).await;
        })+
    };
}
