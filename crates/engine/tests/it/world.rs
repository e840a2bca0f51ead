//! The simulated world as the engine's arguments. The benchmark has it from here, too.

use std::sync::Arc;
use std::time::Duration;

use upkeep_domain::credential::Credential;
use upkeep_domain::hold::HoldLimits;
use upkeep_domain::id::HostId;
use upkeep_domain::maintenance::Policy;
use upkeep_domain::plan::Plans;
use upkeep_domain::ports::{Credentials, Random};
use upkeep_engine::request::CreateDatabase;
use upkeep_engine::{Boundaries, Engine, World};
use upkeep_store::Database;
use upkeep_testkit::sim::{Letterbox, Sim};
use uuid::Uuid;

/// The release that every database here begins with.
pub(crate) const FIRST: &str = "15.18-a";

/// Longer than any test: what is due shows only where it is asked for.
const PLAN_EVERY: Duration = Duration::from_secs(3_600);

/// A few looks long.
const SOAK: Duration = Duration::from_millis(500);
/// In the simulated world a follower follows at the next look, or never.
const FOLLOWERS_WITHIN: Duration = Duration::from_secs(2);

/// Everything an engine needs, simulated.
pub(crate) fn world(
    sim: &Arc<Sim>,
    boundaries: Arc<dyn Boundaries>,
    hold_limits: HoldLimits,
    retire_grace: Duration,
) -> World {
    World {
        hosts: Arc::clone(sim) as _,
        traffic: Arc::clone(sim) as _,
        random: Arc::new(Drawn),
        credentials: Arc::new(Drawn),
        courier: Arc::new(Letterbox::default()),
        boundaries,
        host: HostId(Uuid::nil()),
        plans: Plans::defaults(),
        policy: Policy::defaults(),
        plan_every: PLAN_EVERY,
        hold_limits,
        soak: SOAK,
        followers_within: FOLLOWERS_WITHIN,
        retire_grace,
    }
}

/// Asks for a database on [`FIRST`].
pub(crate) async fn create_database(engine: &Engine) -> Database {
    let app = engine.create_app(None).await.expect("an app is made");
    let request = CreateDatabase {
        app,
        plan: "standard-0".to_owned(),
        name: None,
        attach_as: None,
        release: Some(FIRST.to_owned()),
        follow: None,
        request_id: None,
    };
    let made = engine.create_database(request).await;
    made.expect("a database is begun")
}

struct Drawn;

impl Random for Drawn {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(4) {
            let drawn = Uuid::new_v4().into_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}

impl Credentials for Drawn {
    fn create(&self, role: &str) -> Credential {
        Credential {
            role: role.to_owned(),
            password: "never used".to_owned(),
            verifier: "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5".to_owned(),
        }
    }
}
