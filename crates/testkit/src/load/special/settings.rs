//! Settings made with `SET`, among them one that no server knows by itself.

use std::time::Duration;

use super::{Broken, State};
use crate::load::run::Run;
use crate::load::session::Session;

const LOOK: &str = "SELECT ARRAY[current_setting('work_mem'), current_setting('TimeZone'),
                    current_setting('search_path'), current_setting('app.tenant', true)]";

pub(super) struct Settings {
    tenant: String,
}

impl Settings {
    pub(super) fn new(run: i32) -> Self {
        Self {
            tenant: format!("tenant-{run} o'clock"),
        }
    }
}

impl State for Settings {
    const NAME: &str = "settings";
    const EVERY: Duration = Duration::from_millis(100);

    async fn set_up(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let sql = format!(
            "SET work_mem = '7MB'; SET TimeZone = 'Asia/Kathmandu';
             SET search_path = pg_catalog, public; SET app.tenant = '{}'",
            self.tenant.replace('\'', "''")
        );
        Ok(run
            .ask(Self::NAME, "SET", session.client.batch_execute(&sql))
            .await?)
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let is: Vec<Option<String>> = run.ask_for(session, "read settings", LOOK, &[]).await?;
        let was = ["7MB", "Asia/Kathmandu", "pg_catalog, public", &self.tenant];
        let was = was.map(|value| Some(value.to_owned())).to_vec();
        Broken::unless_equal("the list of settings", is, was)
    }
}
