//! Libraries in C: which are loaded, whether the target has them, and which ICU a release brings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use upkeep_domain::preflight::{Icu, List};
use upkeep_domain::release::Release;

use super::{Inside, LISTED};
use crate::session::{self, value};

/// Loaded at the start of the server or of a session, and by functions in the database.
const LOADED: &str = "SELECT DISTINCT pg_catalog.btrim(name) FROM ( \
    SELECT pg_catalog.unnest(pg_catalog.string_to_array(setting, ',')) \
      FROM pg_catalog.pg_settings WHERE name IN \
      ('shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries') \
    UNION ALL SELECT p.probin FROM pg_catalog.pg_proc p \
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE l.lanname = 'c') AS loaded(name) \
    WHERE pg_catalog.btrim(name) <> ''";

/// Every build has it where it has the others.
const LANDMARK: &str = "plpgsql.so";
/// Where builds keep their libraries, beside the folder of the programs.
const PLACES: [&str; 4] = ["lib", "lib/postgresql", "lib64", "lib64/postgresql"];

/// `None` when it is not known where the target keeps its own.
pub(super) async fn missing(
    inside: &Inside,
    target: &Release,
) -> Result<Option<List>, session::Error> {
    let Some(folder) = folder(&target.bin_dir) else {
        return Ok(None);
    };
    let loaded = inside.rows(LOADED).await?;
    let missing: BTreeSet<String> = loaded
        .iter()
        .filter_map(|row| value::<String>(row, 0))
        .filter(|library| !is_there(&folder, library))
        .collect();
    Ok(Some(List {
        total: missing.len() as u64,
        first: missing.into_iter().take(LISTED as usize).collect(),
    }))
}

fn folder(bin_dir: &Path) -> Option<PathBuf> {
    let root = bin_dir.parent()?;
    let mut places = PLACES.iter().map(|place| root.join(place));
    places.find(|place| place.join(LANDMARK).is_file())
}

/// `$libdir/x`, `x`, `x.so` and whole paths are all allowed.
fn is_there(folder: &Path, library: &str) -> bool {
    let name = library.trim_matches('"');
    let name = name.strip_prefix("$libdir/").unwrap_or(name);
    let path = folder.join(name);
    path.is_file() || path.with_added_extension("so").is_file()
}

pub(super) fn icu(present: Option<&Release>, target: Option<&Release>) -> Icu {
    let major = |release: &Release| icu_major(&release.bin_dir.join("postgres"));
    Icu {
        present: present.and_then(major),
        target: target.and_then(major),
    }
}

/// From the name of the library that the program says it needs.
fn icu_major(program: &Path) -> Option<u32> {
    const NAME: &[u8] = b"libicui18n.so.";
    let bytes = std::fs::read(program).ok()?;
    let at = bytes.windows(NAME.len()).position(|part| part == NAME)?;
    let digits: String = bytes[at + NAME.len()..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .map(|&byte| char::from(byte))
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("lib/postgresql")).unwrap();
        std::fs::create_dir_all(dir.path().join("bin")).unwrap();
        for name in [LANDMARK, "ltree.so", "uuid-ossp.so"] {
            std::fs::write(dir.path().join("lib/postgresql").join(name), "").unwrap();
        }
        let folder = folder(&dir.path().join("bin")).unwrap();
        let whole = folder.join("ltree").display().to_string();
        for name in [
            "$libdir/ltree",
            "ltree",
            "ltree.so",
            "\"uuid-ossp\"",
            &whole,
        ] {
            assert!(is_there(&folder, name), "{name}");
        }
        for name in ["$libdir/pg_cron", "ltre", "/nowhere/ltree"] {
            assert!(!is_there(&folder, name), "{name}");
        }
    }

    #[test]
    fn the_icu_of_a_program_is_read_from_what_it_needs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"\x7fELF\0libicui18n.so.72\0libc.so.6\0").unwrap();
        assert_eq!(icu_major(file.path()), Some(72));
        std::fs::write(file.path(), b"\x7fELF\0libc.so.6\0").unwrap();
        assert_eq!(icu_major(file.path()), None);
    }
}
