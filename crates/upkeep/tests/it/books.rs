//! The product's own state, read directly from where it keeps it: what it believes.

use std::fs;

use tokio_postgres::Client;
use upkeep_testkit::up::{RunningInstance, Up};

use crate::world::connect;

pub(crate) struct Books {
    client: Client,
}

impl Books {
    pub(crate) async fn open(up: &Up) -> Self {
        let config = match up.state_url() {
            Some(elsewhere) => elsewhere.parse().unwrap(),
            None => Self::instance(up)
                .expect("the private instance runs")
                .direct("upkeep", "postgres"),
        };
        let client = connect(&config).await.unwrap();
        Self { client }
    }

    /// The private instance, if it runs.
    pub(crate) fn instance(up: &Up) -> Option<RunningInstance> {
        let mut all = up.instances().into_iter();
        all.find(|found| Self::are_in(up, found))
    }

    /// Whether it is the private instance.
    pub(crate) fn are_in(up: &Up, instance: &RunningInstance) -> bool {
        let config = fs::read_to_string(up.dir().join("config.toml")).unwrap();
        let line = config
            .lines()
            .find_map(|line| line.strip_prefix("state_instance = "));
        let id = line.unwrap().trim_matches('"');
        instance.data_dir.as_str().contains(id)
    }

    pub(crate) async fn primary(&self, database: &str) -> String {
        self.text(
            "SELECT primary_instance::text FROM upkeep.databases WHERE name = $1",
            database,
        )
        .await
    }

    /// The standby that follows the primary, if there is one.
    pub(crate) async fn standby(&self, database: &str) -> Option<String> {
        let sql = "SELECT i.id::text FROM upkeep.instances i JOIN upkeep.databases d ON d.primary_instance = i.follows
                   WHERE d.name = $1 AND i.role = 'standby'";
        let rows = self.client.query(sql, &[&database]).await.unwrap();
        rows.first().map(|row| row.get(0))
    }

    pub(crate) async fn release(&self, database: &str) -> String {
        self.text(
            "SELECT release FROM upkeep.instances JOIN upkeep.databases d ON d.primary_instance = instances.id
             WHERE d.name = $1",
            database,
        )
        .await
    }

    /// Roles of all instances in the books, in alphabetical order.
    pub(crate) async fn roles(&self) -> Vec<String> {
        let sql = "SELECT role FROM upkeep.instances ORDER BY role";
        let rows = self.client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(crate) async fn unfinished_workflows(&self) -> i64 {
        let sql =
            "SELECT count(*) FROM upkeep.workflows WHERE ended_as IS NULL OR ended_as = 'stuck'";
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What only time does: the window that a maintenance waits for opens so soon.
    pub(crate) async fn let_window_open(&self, database: &str, within: &str) {
        let sql = "UPDATE upkeep.maintenances m SET scheduled_for = now() + $2::text::interval FROM upkeep.databases d
                   WHERE d.id = m.database_id AND d.name = $1 AND (m.started_at IS NULL OR m.status = 'ready')";
        let opens = self.client.execute(sql, &[&database, &within]).await;
        assert_eq!(opens.unwrap(), 1, "one waits for it");
    }

    async fn text(&self, sql: &str, parameter: &str) -> String {
        self.client
            .query_one(sql, &[&parameter])
            .await
            .unwrap()
            .get(0)
    }
}
