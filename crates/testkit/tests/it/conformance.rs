//! The simulated hosts keep to what every host keeps to.

use async_trait::async_trait;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::ports::Hosts;
use upkeep_domain::release::ReleaseName;
use upkeep_testkit::conformance::{self, Bench};
use upkeep_testkit::sim::Sim;
use uuid::Uuid;

const RELEASE: &str = "15.18-a";

struct Simulated(Sim);

impl Simulated {
    fn new() -> Self {
        Self(Sim::new(&[RELEASE]))
    }
}

#[async_trait(?Send)]
impl Bench for Simulated {
    fn hosts(&self) -> &dyn Hosts {
        &self.0
    }

    fn host(&self) -> HostId {
        HostId(Uuid::nil())
    }

    fn release(&self) -> ReleaseName {
        RELEASE.parse().expect("it is a name")
    }

    async fn commit(&self, instance: InstanceId) {
        self.0.commit(instance);
    }

    async fn crash(&self, instance: InstanceId) {
        self.0.crash(instance);
    }
}

#[tokio::test]
async fn simulated_a_standby_takes_over() {
    conformance::a_standby_takes_over(&Simulated::new()).await;
}

#[tokio::test]
async fn simulated_a_primary_that_died() {
    conformance::a_primary_that_died(&Simulated::new()).await;
}

#[tokio::test]
async fn simulated_a_standby_that_died() {
    conformance::a_standby_that_died(&Simulated::new()).await;
}

#[tokio::test]
async fn simulated_a_primary_is_shut_down() {
    let bench = Simulated::new();
    bench.0.fence_by_clean_stop();
    conformance::a_primary_is_shut_down(&bench).await;
}

#[tokio::test]
async fn simulated_who_speaks_last() {
    conformance::who_speaks_last(&Simulated::new()).await;
}

#[tokio::test]
async fn simulated_what_is_not_there() {
    conformance::what_is_not_there(&Simulated::new()).await;
}

#[tokio::test]
async fn simulated_another_cluster() {
    conformance::another_cluster(&Simulated::new()).await;
}
