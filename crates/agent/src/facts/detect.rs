//! One query for each kind of object that a skipped minor release is about. Each yields what is
//! found and the command that puts it right.
//!
//! What the kinds mean is written in the catalogue, `domain/src/release/knowledge/`.

use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::preflight::{Finding, Found};
use upkeep_domain::release::knowledge::Detector;

use super::Inside;
use crate::session::{self, value};

/// Objects that are told of one kind; of the others only the number is.
const FOUND: u32 = 50;

/// One that cannot look says so; the others look all the same.
pub(super) async fn findings(inside: &Inside, detectors: &[Detector]) -> Vec<Finding> {
    let mut wanted = detectors.to_vec();
    wanted.sort();
    wanted.dedup();
    let mut findings = Vec::new();
    for detector in wanted {
        let finding = look(inside, detector).await;
        findings.push(finding.unwrap_or_else(|error| Finding {
            detector,
            total: 0,
            found: Vec::new(),
            failed: Some(format!("{detector:?}: {}", ErrorChain(&error))),
        }));
    }
    findings
}

async fn look(inside: &Inside, detector: Detector) -> Result<Finding, session::Error> {
    let sql = format!(
        "SELECT object, command, count(*) OVER () FROM ({}) AS found(object, command) \
         ORDER BY 1, 2 LIMIT {FOUND}",
        query(detector)
    );
    let rows = inside.rows(&sql).await?;
    let total = rows.first().and_then(|row| value(row, 2));
    let found = rows.iter().filter_map(|row| {
        Some(Found {
            object: value(row, 0)?,
            command: value(row, 1)?,
        })
    });
    Ok(Finding {
        detector,
        total: total.unwrap_or_default(),
        found: found.collect(),
        failed: None,
    })
}

fn query(detector: Detector) -> String {
    match detector {
        Detector::AnyIndex => format!(
            "SELECT pg_catalog.format('%s indexes in database %I', count(*), \
               pg_catalog.current_database()), \
               pg_catalog.format('REINDEX DATABASE CONCURRENTLY %I', pg_catalog.current_database()) \
             FROM ({}) AS every HAVING count(*) > 0",
            indexes("true")
        ),
        Detector::BrinIndex => indexes("a.amname = 'brin'"),
        Detector::BrinBloomIndex => brin("o.opcname LIKE '%\\_bloom\\_ops'"),
        Detector::BrinMinmaxMultiNumericIndex => brin("o.opcname = 'numeric_minmax_multi_ops'"),
        Detector::BrinMinmaxMultiTimeIndex => brin(
            "o.opcname IN ('date_minmax_multi_ops', 'timestamp_minmax_multi_ops', \
             'timestamptz_minmax_multi_ops')",
        ),
        Detector::BtreeBpcharIndex => indexes(
            "a.amname = 'btree' AND EXISTS (SELECT FROM pg_catalog.pg_attribute t \
               WHERE t.attrelid = c.oid AND t.atttypid = 'pg_catalog.bpchar'::pg_catalog.regtype \
               AND t.atttypmod = -1)",
        ),
        Detector::BtreeIntervalIndex => with_class("btree", "o.opcname = 'interval_ops'"),
        Detector::BtreeGistIndex => with_class(
            "gist",
            "o.opcname IN ('gist_float4_ops', 'gist_float8_ops', 'gist_bit_ops', 'gist_vbit_ops')",
        ),
        Detector::GinIndex => indexes("a.amname = 'gin'"),
        Detector::GistIndex => indexes("a.amname = 'gist'"),
        Detector::LtreeBtreeIndex => with_class("btree", "o.opcname = 'ltree_ops'"),
        Detector::LtreeGistIndex => with_class("gist", "o.opcname = 'gist_ltree_ops'"),
        Detector::LtreeIndex => ltree(),
        Detector::TrigramGistIndex => with_class("gist", "o.opcname = 'gist_trgm_ops'"),
        Detector::TextIndexUnderCCtype => text_under_c_ctype(),
        Detector::DetachedForeignKey => DETACHED_FOREIGN_KEY.to_owned(),
        Detector::SelfReferencingForeignKey => SELF_REFERENCING_FOREIGN_KEY.to_owned(),
        Detector::ForeignLibrary => foreign_library(),
        Detector::GinRowEstimate => GIN_ROW_ESTIMATE.to_owned(),
        Detector::IncrementalBackup => INCREMENTAL_BACKUP.to_owned(),
        Detector::JsonStripNulls => JSON_STRIP_NULLS.to_owned(),
        Detector::OutputPlugin => OUTPUT_PLUGIN.to_owned(),
        Detector::Pgcrypto => PGCRYPTO.to_owned(),
        Detector::StatisticsViews => STATISTICS_VIEWS.to_owned(),
    }
}

/// Indexes of people. Those of exclusion constraints cannot be rebuilt concurrently.
fn indexes(condition: &str) -> String {
    format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), \
           pg_catalog.format('REINDEX INDEX %s%I.%I', \
             CASE WHEN i.indisexclusion THEN '' ELSE 'CONCURRENTLY ' END, n.nspname, c.relname) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
         JOIN pg_catalog.pg_am a ON a.oid = c.relam \
         WHERE c.relkind = 'i' AND c.relpersistence <> 't' \
         AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') AND ({condition})"
    )
}

fn with_class(method: &str, class: &str) -> String {
    indexes(&format!(
        "a.amname = '{method}' AND EXISTS (SELECT FROM pg_catalog.pg_opclass o \
           WHERE o.oid = ANY (i.indclass) AND {class})"
    ))
}

fn brin(class: &str) -> String {
    with_class("brin", class)
}

/// Unless the C library folds case of single bytes: there both ways were the same.
fn ltree() -> String {
    indexes(
        "EXISTS (SELECT FROM pg_catalog.pg_opclass o \
           JOIN pg_catalog.pg_type t ON t.oid = o.opcintype \
           WHERE o.oid = ANY (i.indclass) AND t.typname IN ('ltree', '_ltree')) \
         AND EXISTS (SELECT FROM pg_catalog.pg_database d \
           WHERE d.datname = pg_catalog.current_database() AND NOT ( \
             pg_catalog.pg_encoding_max_length(d.encoding) = 1 \
             AND coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'))",
    )
}

fn text_under_c_ctype() -> String {
    indexes(
        "EXISTS (SELECT FROM pg_catalog.pg_collation l \
           WHERE l.oid = ANY (i.indcollation) AND l.collprovider = 'd') \
         AND EXISTS (SELECT FROM pg_catalog.pg_database d \
           WHERE d.datname = pg_catalog.current_database() AND d.datctype IN ('C', 'POSIX') \
           AND d.datcollate NOT IN ('C', 'POSIX') \
           AND coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') = 'c')",
    )
}

/// A constraint has a row for each partition on either side; one that lost its own was detached.
const DETACHED_FOREIGN_KEY: &str = "
    SELECT pg_catalog.format('%I on %s', k.conname, k.conrelid::pg_catalog.regclass),
           pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s',
               k.conrelid::pg_catalog.regclass, k.conname, k.conname, pg_catalog.pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0
    AND (SELECT count(*) FROM pg_catalog.pg_constraint child WHERE child.conparentid = k.oid)
        <> (SELECT count(*) FROM pg_catalog.pg_inherits h
              JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = h.inhparent
              WHERE h.inhparent IN (k.conrelid, k.confrelid))
         + CASE WHEN pg_catalog.pg_partition_root(k.conrelid) = k.confrelid
                THEN (SELECT count(*) FROM pg_catalog.pg_partition_tree(k.confrelid) WHERE level = 1)
                ELSE 0 END";

const SELF_REFERENCING_FOREIGN_KEY: &str = "
    SELECT pg_catalog.format('%I on %s', k.conname, k.conrelid::pg_catalog.regclass),
           pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s',
               k.conrelid::pg_catalog.regclass, k.conname, k.conname, pg_catalog.pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = k.confrelid AND t.relkind = 'p'";

/// No page holds more than 291 rows, so more of them in a table are senseless.
const GIN_ROW_ESTIMATE: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, t.relname),
           pg_catalog.format('ANALYZE %I.%I', n.nspname, t.relname)
    FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                  JOIN pg_catalog.pg_am a ON a.oid = c.relam
                  WHERE i.indrelid = t.oid AND a.amname = 'gin')
    AND (t.reltuples IN ('NaN', 'Infinity', '-Infinity') OR t.reltuples < -1
         OR t.reltuples > 291 * (pg_catalog.pg_relation_size(t.oid) / 8192 + 1))";

const INCREMENTAL_BACKUP: &str = "
    SELECT 'summarize_wal is on', 'pg_basebackup, a full backup: incremental ones build on it from now on'
    WHERE pg_catalog.current_setting('summarize_wal', true) = 'on'";

const JSON_STRIP_NULLS: &str = "
    SELECT pg_catalog.string_agg('pg_catalog.' || proname, ', ' ORDER BY oid),
           'UPDATE pg_catalog.pg_proc SET provolatile = ''i'' WHERE oid IN (3261, 3262)'
    FROM pg_catalog.pg_proc WHERE oid IN (3261, 3262) AND provolatile = 's' HAVING count(*) > 0";

/// Quoted one by one: in one pair of quotes they would be one library with commas in its name.
const OUTPUT_PLUGIN: &str = "
    SELECT pg_catalog.format('slot %s', pg_catalog.string_agg(s.slot_name, ', ' ORDER BY s.slot_name)),
           pg_catalog.format('ALTER SYSTEM SET output_plugin_libraries = %s; SELECT pg_reload_conf()',
               (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(library), ', ' ORDER BY library)
                FROM (SELECT pg_catalog.unnest(allowed.libraries)
                      UNION SELECT plugin::pg_catalog.text FROM pg_catalog.pg_replication_slots
                      WHERE plugin IS NOT NULL) AS every(library)))
    FROM pg_catalog.pg_replication_slots s,
         LATERAL (SELECT pg_catalog.string_to_array(pg_catalog.translate(
             coalesce(pg_catalog.current_setting('output_plugin_libraries', true), 'pgoutput,test_decoding'),
             ' \"', ''), ',')) AS allowed(libraries)
    WHERE s.plugin IS NOT NULL AND s.plugin <> ALL (allowed.libraries)
    GROUP BY allowed.libraries";

const PGCRYPTO: &str = "
    SELECT 'extension pgcrypto',
           'SELECT pgp_sym_decrypt(<column>, <key>, ''ignore-cipher-failure=1''), and encrypt anew, what does not decrypt any more'
    FROM pg_catalog.pg_extension WHERE extname = 'pgcrypto'";

/// The view that has the fix asks for the owner of the table.
const STATISTICS_VIEWS: &str = "
    SELECT 'pg_catalog.pg_stats_ext, pg_catalog.pg_stats_ext_exprs',
           '\\i fix-CVE-2024-4317.sql (from the release''s share directory, in every database)'
    WHERE pg_catalog.pg_get_viewdef('pg_catalog.pg_stats_ext'::pg_catalog.regclass) NOT LIKE '%pg_has_role%'";

/// What PostgreSQL itself brings, of every major version.
const OWN_LIBRARIES: &str = "'_int', 'adminpack', 'amcheck', 'auth_delay', 'auto_explain', 'autoinc', \
    'basebackup_to_shell', 'basic_archive', 'bloom', 'bool_plperl', 'btree_gin', 'btree_gist', 'citext', \
    'cube', 'dblink', 'dict_int', 'dict_snowball', 'dict_xsyn', 'earthdistance', 'euc2004_sjis2004', 'file_fdw', \
    'fuzzystrmatch', 'hstore', 'hstore_plperl', 'hstore_plpython3', 'insert_username', 'isn', \
    'jsonb_plperl', 'jsonb_plpython3', 'lo', 'ltree', 'ltree_plpython3', 'moddatetime', 'old_snapshot', \
    'pageinspect', 'passwordcheck', 'pg_buffercache', 'pg_freespacemap', 'pg_logicalinspect', \
    'pg_overexplain', 'pg_prewarm', 'pg_stat_statements', 'pg_surgery', 'pg_trgm', 'pg_visibility', \
    'pg_walinspect', 'pgcrypto', 'pgoutput', 'pgrowlocks', 'pgstattuple', 'pgxml', 'plperl', 'plpgsql', \
    'plpython3', 'pltcl', 'postgres_fdw', 'refint', 'seg', 'sepgsql', 'sslinfo', 'tablefunc', 'tcn', \
    'test_decoding', 'tsm_system_rows', 'tsm_system_time', 'unaccent', 'uuid-ossp'";

/// Conversions between encodings are in libraries too.
fn foreign_library() -> String {
    format!(
        "SELECT DISTINCT probin, pg_catalog.format('install a build of %s for the target minor', probin) \
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
         WHERE l.lanname = 'c' AND pg_catalog.replace(probin, '$libdir/', '') NOT IN ({OWN_LIBRARIES}) \
         AND probin NOT LIKE '%\\_and\\_%'"
    )
}
