//! Forward-only migrations, under a lock, each in one transaction with its record.

use tokio_postgres::Client;

use crate::Error;

/// Number and text of each migration; the number is its place in the list plus one.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_begin.sql"),
    include_str!("../migrations/0002_method.sql"),
    include_str!("../migrations/0003_preflight.sql"),
    include_str!("../migrations/0004_standby.sql"),
    include_str!("../migrations/0005_followers.sql"),
    include_str!("../migrations/0006_attachments.sql"),
    include_str!("../migrations/0007_cancel.sql"),
    include_str!("../migrations/0008_windows.sql"),
    include_str!("../migrations/0009_turns.sql"),
    include_str!("../migrations/0010_freezes.sql"),
    include_str!("../migrations/0011_notices.sql"),
    include_str!("../migrations/0012_requirements.sql"),
    include_str!("../migrations/0013_asked_again.sql"),
    include_str!("../migrations/0014_waiting_settings.sql"),
    include_str!("../migrations/0015_preparing.sql"),
    include_str!("../migrations/0016_forecast.sql"),
    include_str!("../migrations/0017_calendars.sql"),
];

/// Version of the tables that this program works with.
pub const LATEST: i32 = MIGRATIONS.len() as i32;

/// Any constant of ours: two servers that start together take turns.
const LOCK: i64 = 0x7570_6b65_6570;

pub(crate) async fn migrate(client: &mut Client) -> Result<(), Error> {
    let transaction = client
        .transaction()
        .await
        .map_err(Error::query("begin migrating"))?;
    transaction
        .execute("SELECT pg_catalog.pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(Error::query("lock the migrations"))?;
    transaction
        .batch_execute(
            "CREATE SCHEMA IF NOT EXISTS upkeep;
             CREATE TABLE IF NOT EXISTS upkeep.migrations (
                 version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
        )
        .await
        .map_err(Error::query("make the table of migrations"))?;
    let row = transaction
        .query_one(
            "SELECT coalesce(max(version), 0) FROM upkeep.migrations",
            &[],
        )
        .await
        .map_err(Error::query("read the version of the state database"))?;
    let found: i32 = row.get(0);
    if found > LATEST {
        return Err(Error::Newer {
            found,
            known: LATEST,
        });
    }
    for version in found + 1..=LATEST {
        transaction
            .batch_execute(MIGRATIONS[version as usize - 1])
            .await
            .map_err(Error::query("migrate the state database"))?;
        transaction
            .execute(
                "INSERT INTO upkeep.migrations (version) VALUES ($1)",
                &[&version],
            )
            .await
            .map_err(Error::query("record a migration"))?;
    }
    transaction
        .commit()
        .await
        .map_err(Error::query("commit the migrations"))
}
