//! What is in the database: tables that a promotion empties, extensions, collations, options.

use std::path::Path;

use upkeep_domain::preflight::{Collation, ColumnOption, Facts};
use upkeep_domain::release::Version;

use super::Inside;
use crate::activity;
use crate::session::{self, Row, value};

/// Databases have a version of their collation from here on.
const DATABASE_COLLATION: u16 = 15;

const EXTENSIONS: &str = "SELECT extname FROM pg_catalog.pg_extension ORDER BY 1";

/// Only collations that put an index in order matter.
const COLLATIONS: &str = "SELECT pg_catalog.format('%I.%I', n.nspname, c.collname), c.collversion, \
    pg_catalog.pg_collation_actual_version(c.oid) \
    FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace \
    WHERE c.collversion <> pg_catalog.pg_collation_actual_version(c.oid) \
    AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE c.oid = ANY (i.indcollation)) ORDER BY 1";

const DEFAULT_COLLATION: &str = "SELECT pg_catalog.format('the default of database %I', datname), datcollversion, \
    pg_catalog.pg_database_collation_actual_version(oid) \
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database() \
    AND datcollversion <> pg_catalog.pg_database_collation_actual_version(oid)";

/// As JSON, because databases have a provider from 15 on only.
const ICU_INDEXES: &str = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) \
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast') AND EXISTS ( \
      SELECT FROM pg_catalog.pg_collation l WHERE l.oid = ANY (i.indcollation) AND ( \
        l.collprovider = 'i' OR l.collprovider = 'd' AND EXISTS ( \
          SELECT FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database() \
            AND pg_catalog.to_jsonb(d) ->> 'datlocprovider' = 'i')))";

/// Columns of indexes keep the parameters of their operator classes in the same place.
const OPTIONS: &str = "SELECT pg_catalog.split_part(o, '=', 1), count(*) \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid, \
    pg_catalog.unnest(a.attoptions) AS o \
    WHERE c.relkind NOT IN ('i', 'I') \
    AND pg_catalog.split_part(o, '=', 1) NOT IN ('n_distinct', 'n_distinct_inherited') \
    GROUP BY 1 ORDER BY 1";

pub(super) async fn add(
    inside: &Inside,
    running: Version,
    facts: &mut Facts,
) -> Result<(), session::Error> {
    facts.unlogged_tables = inside.list(activity::UNLOGGED).await?;
    let extensions = inside.rows(EXTENSIONS).await?;
    facts.extensions = extensions.iter().filter_map(|row| value(row, 0)).collect();
    let mut outdated = inside.rows(COLLATIONS).await?;
    if running.major >= DATABASE_COLLATION {
        outdated.extend(inside.rows(DEFAULT_COLLATION).await?);
    }
    facts.outdated_collations = outdated.iter().filter_map(collation).collect();
    facts.icu_indexes = inside.list(ICU_INDEXES).await?;
    let options = inside.rows(OPTIONS).await?;
    facts.column_options = options
        .iter()
        .filter_map(|row| {
            Some(ColumnOption {
                name: value(row, 0)?,
                columns: value(row, 1)?,
            })
        })
        .collect();
    Ok(())
}

fn collation(row: &Row) -> Option<Collation> {
    Some(Collation {
        name: value(row, 0)?,
        recorded: value(row, 1)?,
        actual: value(row, 2)?,
    })
}

/// Files of tables and indexes, which a promotion looks at one by one. What goes away while we
/// look does not count.
pub(super) fn relation_files(data: &Path) -> u64 {
    fn count(folder: &Path, depth: u8) -> u64 {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return 0;
        };
        entries
            .flatten()
            .map(|entry| match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth > 0 => count(&entry.path(), depth - 1),
                Ok(kind) if kind.is_file() => 1,
                _ => 0,
            })
            .sum()
    }
    count(&data.join("base"), 1)
}
