//! The real endpoint keeps to what every endpoint keeps to, in front of a real server.

use async_trait::async_trait;
use tokio_postgres::Client;
use upkeep_domain::ports::Traffic;
use upkeep_domain::route::Target;
use upkeep_testkit::conformance::TrafficBench;

use crate::world::{DBNAME, World};

struct Real {
    world: World,
    _session: Client,
}

impl Real {
    async fn new() -> Self {
        let world = World::new().await;
        let session = world.connect().await;
        Self {
            world,
            _session: session,
        }
    }
}

#[async_trait(?Send)]
impl TrafficBench for Real {
    fn traffic(&self) -> &dyn Traffic {
        &self.world.endpoint
    }

    fn dbname(&self) -> &'static str {
        DBNAME
    }

    async fn target(&self) -> Target {
        self.world.primary.target().await
    }
}

upkeep_testkit::every_script_is_kept_to!(traffic: Real::new().await);
