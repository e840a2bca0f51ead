//! A setting that takes effect at a restart only: what a restart is run for.

use anyhow::Result;

use crate::stage::{self, Database, Stage};

const NAME: &str = "max_locks_per_transaction";
const WANTED: &str = "96";

pub(super) struct Waiting {
    before: String,
}

impl Waiting {
    pub(super) async fn set(stage: &Stage, database: &Database) -> Result<Self> {
        let before = stage::show(&database.url, NAME).await?;
        let set = format!("ALTER SYSTEM SET {NAME} = {WANTED}");
        let superuser = stage.superuser(database).await?;
        superuser.batch_execute(&set).await?;
        eprintln!("{NAME} is {before}; {WANTED} waits for a restart");
        Ok(Self { before })
    }

    /// In words, if it has not come into effect.
    pub(super) async fn in_vain(&self, database: &Database) -> Result<Option<String>> {
        let after = stage::show(&database.url, NAME).await?;
        let before = &self.before;
        Ok((after != WANTED).then(|| format!("{NAME} is {after} after {before}, not {WANTED}")))
    }
}
