//! Whether a copy of this server can live under the target release.

use super::{Situation, Word, blocked, pass, warning};
use crate::dry_start::DryStart;
use crate::preflight::{Facts, Floor};

/// A promotion looks at every file of every table; from there on it is felt.
const RELATION_FILES_MAX: u64 = 100_000;
/// Findings told in one sentence; whoever puts these right is told of the others.
const FINDINGS_MAX: usize = 5;
/// The one floor that a plan sets; the others stand in files that travel with a copy.
const BY_PLAN: &str = "max_connections";

pub(super) fn settings(situation: &Situation<'_>, facts: &Facts) -> Word {
    let planned = i64::from(situation.settings.max_connections);
    let lower: Vec<String> = facts
        .floors
        .iter()
        .filter_map(|floor| {
            let new = on_the_copy(floor, planned);
            (new < floor.running)
                .then(|| format!("{} would be {new}, and is {}", floor.name, floor.running))
        })
        .collect();
    if lower.is_empty() {
        return pass("nothing that replay needs would be lower on the replacement");
    }
    blocked(
        format!(
            "settings would be lower on the replacement: {}",
            lower.join(", ")
        ),
        "a standby cannot replay like that: set them with ALTER SYSTEM to what they are",
    )
}

pub(super) fn on_the_copy(floor: &Floor, planned: i64) -> i64 {
    if floor.name == BY_PLAN && !floor.by_system {
        return planned;
    }
    floor.on_file.unwrap_or(floor.running)
}

pub(super) fn tablespaces(facts: &Facts) -> Word {
    let tablespaces = &facts.tablespaces;
    if tablespaces.is_empty() {
        return pass("no tablespaces of its own");
    }
    blocked(
        format!(
            "there are tablespaces, whose paths a copy on the same host would share: {tablespaces}"
        ),
        "move what is in them into pg_default with ALTER TABLE ... SET TABLESPACE, and drop them",
    )
}

pub(super) fn extensions(situation: &Situation<'_>, facts: &Facts) -> Option<Word> {
    let target = situation.target?;
    let missing: Vec<&str> = facts
        .extensions
        .iter()
        .filter(|name| !target.extensions.contains(*name))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        let count = facts.extensions.len();
        return Some(pass(format!("all {count} extensions are in the release")));
    }
    Some(blocked(
        format!(
            "extensions that are not in `{}`: {}",
            target.name,
            missing.join(", ")
        ),
        "install them for that release, remove it and add it again",
    ))
}

pub(super) fn libraries(situation: &Situation<'_>, facts: &Facts) -> Option<Word> {
    let missing = facts.missing_libraries.as_ref()?;
    if missing.is_empty() {
        return Some(pass("every library that is loaded is in the release"));
    }
    Some(blocked(
        format!(
            "libraries that are not in `{}`: {missing}",
            situation.release_after
        ),
        "install them for that release, or take them out of shared_preload_libraries",
    ))
}

/// Text that was put in order by one library is searched by another: rows are missed.
///
/// The C library is the host's for every release on it; ICU may come with a release.
pub(super) fn collations(facts: &Facts) -> Word {
    if let (Some(present), Some(target)) = (facts.icu.present, facts.icu.target)
        && present != target
        && !facts.icu_indexes.is_empty()
    {
        return blocked(
            format!(
                "the release has ICU {target}, and indexes were ordered by ICU {present}: {}",
                facts.icu_indexes
            ),
            "use a release that is linked with the same ICU",
        );
    }
    let outdated: Vec<String> = facts
        .outdated_collations
        .iter()
        .map(|of| format!("{} ({}, now {})", of.name, of.recorded, of.actual))
        .collect();
    if outdated.is_empty() {
        return pass("collations are of the version that is recorded");
    }
    warning(
        format!(
            "collations have another version than is recorded: {}",
            outdated.join(", ")
        ),
        "REINDEX what is ordered by them, then ALTER COLLATION (or DATABASE) ... REFRESH COLLATION VERSION",
    )
}

/// Such as `pg_attver` of 15.20: an older minor does not understand it in DDL, pg_dump and
/// pg_upgrade, so there is no way back to one.
pub(super) fn column_options(facts: &Facts) -> Word {
    let unknown: Vec<String> = facts
        .column_options
        .iter()
        .map(|option| format!("{} ({} columns)", option.name, option.columns))
        .collect();
    if unknown.is_empty() {
        return pass("columns have only options that every minor knows");
    }
    warning(
        format!(
            "columns have options that an older minor does not know, so that there is no way back to one: {}",
            unknown.join(", ")
        ),
        "make sure that nobody counts on going back to an older minor release",
    )
}

/// What a start would make of the files that lie there, errors and waiting settings alike.
pub(super) fn configuration(dry_start: &DryStart) -> Word {
    let DryStart { findings, waiting } = dry_start;
    if findings.is_empty() {
        let would = "a server would start with the configuration files";
        if waiting.is_empty() {
            return pass(would);
        }
        let names: Vec<&str> = waiting
            .iter()
            .map(|setting| setting.name.as_str())
            .collect();
        return pass(format!(
            "{would}; what takes effect then: {}",
            names.join(", ")
        ));
    }
    let mut told: Vec<_> = findings.iter().map(ToString::to_string).collect();
    if told.len() > FINDINGS_MAX {
        let more = told.len() - FINDINGS_MAX;
        told.truncate(FINDINGS_MAX);
        told.push(format!("and {more} more"));
    }
    blocked(
        format!(
            "a server would not start with the configuration files: {}",
            told.join("; ")
        ),
        "put this right; nothing is begun before",
    )
}

pub(super) fn relation_files(facts: &Facts) -> Word {
    let files = facts.relation_files;
    if files <= RELATION_FILES_MAX {
        return pass(format!("{files} files to look at in a promotion"));
    }
    warning(
        format!("{files} files: a promotion looks at each, and clients are held meanwhile"),
        "expect a longer hold, or drop tables and indexes that nobody needs",
    )
}
