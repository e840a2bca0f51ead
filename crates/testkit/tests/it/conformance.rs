//! The simulated hosts keep to what every host keeps to, and the simulated endpoint to what every endpoint does.

use async_trait::async_trait;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::ports::{Hosts, Traffic};
use upkeep_domain::release::ReleaseName;
use upkeep_domain::route::Target;
use upkeep_testkit::conformance::{self, Bench, TrafficBench};
use upkeep_testkit::sim::Sim;
use uuid::Uuid;

const RELEASE: &str = "15.18-a";

struct Simulated(Sim);

impl Simulated {
    fn new() -> Self {
        Self(Sim::new(&[RELEASE]))
    }

    fn that_stops() -> Self {
        let bench = Self::new();
        bench.0.fence_by_clean_stop();
        bench
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

upkeep_testkit::every_script_is_kept_to!(Simulated::new(), Simulated::that_stops());

struct SimulatedEndpoint {
    hosts: Simulated,
    primary: InstanceId,
}

impl SimulatedEndpoint {
    async fn new() -> Self {
        let hosts = Simulated::new();
        let primary = conformance::primary(&hosts).await;
        Self { hosts, primary }
    }
}

#[async_trait(?Send)]
impl TrafficBench for SimulatedEndpoint {
    fn traffic(&self) -> &dyn Traffic {
        &self.hosts.0
    }

    fn dbname(&self) -> &'static str {
        "shop"
    }

    async fn target(&self) -> Target {
        let seen = self.hosts.0.observe(self.primary);
        Target {
            instance: self.primary,
            address: seen.address.expect("it runs"),
            identity: seen.identity.expect("it runs"),
            auth_role: "reader".to_owned(),
        }
    }
}

upkeep_testkit::every_script_is_kept_to!(traffic: SimulatedEndpoint::new().await);
