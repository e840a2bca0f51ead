//! Two followers with readers: they come along with their leader, and are then changed over themselves.

use anyhow::Result;
use serde::Serialize;
use upkeep_testkit::load::readers::{OF_THE_LEDGER, Read, Readers};
use upkeep_testkit::up::MaintenanceRun;

use crate::stage::{self, Database, Method, Release, Stage};

const FOLLOWERS: usize = 2;
const READERS_EACH: u32 = 2;

pub(super) struct Followers(Vec<Database>);

/// What became of them.
#[derive(Debug, Serialize)]
pub(super) struct Followed {
    /// Releases that they are on in the end, as their servers say.
    pub(super) releases: Vec<String>,
    /// By the readers, through their leader's changeover and their own.
    pub(super) read: Read,
}

impl Followers {
    pub(super) async fn create(stage: &Stage) -> Result<Self> {
        let mut followers = Vec::new();
        for _ in 0..FOLLOWERS {
            followers.push(stage.create_follower().await?);
        }
        Ok(Self(followers))
    }

    pub(super) async fn read(&self) -> Result<Readers> {
        let urls: Vec<_> = self
            .0
            .iter()
            .map(|follower| follower.url.as_str())
            .collect();
        Ok(Readers::start(&urls, READERS_EACH, OF_THE_LEDGER).await?)
    }

    /// Each is moved to the release that its leader is on by now.
    pub(super) async fn come_along(
        &self,
        stage: &Stage,
        readers: Readers,
        to: &Release,
    ) -> Result<Followed> {
        for follower in &self.0 {
            eprintln!("changing over the follower {}", follower.name);
            let mut running = stage.maintain(follower, Method::Changeover, &to.name)?;
            while running.heard().await.is_some() {}
            let run: MaintenanceRun = running.json().await?;
            stage::succeeded(run)?;
        }
        let read = readers.stop().await;
        let mut releases = Vec::new();
        for follower in &self.0 {
            releases.push(stage::server_version(&follower.url).await?);
        }
        Ok(Followed { releases, read })
    }
}
