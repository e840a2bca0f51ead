//! Runs that came to a good end, as far as a forecast looks at them.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::hold::Felt;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::maintenance::forecast::{Past, Took};

use crate::statements::Ask as _;
use crate::{Error, Store};

/// Of other databases: among so many of the last ones the nearest are looked for.
const OTHERS_MAX: i64 = 50;

const OWN: &str = "
    SELECT size_bytes, steps_ms, felt FROM upkeep.maintenances
    WHERE database_id = $1 AND method = $2 AND outcome = 'succeeded' AND steps_ms IS NOT NULL
    ORDER BY completed_at DESC LIMIT $3";

const OTHERS: &str = "
    SELECT size_bytes, steps_ms, felt FROM upkeep.maintenances
    WHERE database_id <> $1 AND method = $2 AND outcome = 'succeeded' AND steps_ms IS NOT NULL
    ORDER BY completed_at DESC LIMIT $3";

impl Store {
    /// The last ones of a database by that method, the last one first.
    pub async fn own_pasts(
        &self,
        database: DatabaseId,
        method: &str,
        at_most: usize,
    ) -> Result<Vec<Past>, Error> {
        self.pasts(OWN, database, method, at_most as i64).await
    }

    /// The same of all other databases.
    pub async fn pasts_of_others(
        &self,
        database: DatabaseId,
        method: &str,
    ) -> Result<Vec<Past>, Error> {
        self.pasts(OTHERS, database, method, OTHERS_MAX).await
    }

    async fn pasts(
        &self,
        query: &str,
        database: DatabaseId,
        method: &str,
        at_most: i64,
    ) -> Result<Vec<Past>, Error> {
        let client = self.client().await?;
        let rows = client.query(query, &[&database.0, &method, &at_most]).await;
        let rows = rows.map_err(Error::query("look at earlier runs"))?;
        Ok(rows.iter().map(past).collect())
    }
}

fn past(row: &Row) -> Past {
    let Json(steps_ms) = row.get::<_, Json<BTreeMap<String, f64>>>("steps_ms");
    let felt = row.get::<_, Option<Json<Felt>>>("felt");
    Past {
        size_bytes: row
            .get::<_, Option<i64>>("size_bytes")
            .map(|bytes| bytes as u64),
        took: Took::of(&steps_ms),
        felt: felt.map(|Json(felt)| felt),
    }
}
