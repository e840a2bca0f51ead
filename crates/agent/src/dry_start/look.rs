//! What a start needs beside its settings: libraries, certificates, memory, its place to listen.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use upkeep_domain::dry_start::Finding;
use upkeep_domain::release::Release;

use super::rules::{Memory, Wanted};
use crate::host::Instance;
use crate::layout::PORT;

const ELF: [u8; 4] = *b"\x7fELF";
/// Every release has it, so where it lies is where the libraries are.
const SURE_TO_BE_THERE: &str = "plpgsql.so";

/// Without the first ones no server starts, without the others no session.
const PRELOADED: [&str; 2] = ["shared_preload_libraries", "session_preload_libraries"];

pub(super) fn libraries(wanted: &Wanted<'_>, release: &Release) -> Vec<Finding> {
    let Some(own) = library_dir(release) else {
        return Vec::new();
    };
    let search = wanted.value("dynamic_library_path").unwrap_or("$libdir");
    let mut missing = Vec::new();
    for setting in PRELOADED {
        let named = wanted.value(setting).unwrap_or_default();
        for library in named.split(',').map(|name| name.trim().trim_matches('"')) {
            let there = library.is_empty() || is_there(library, search, &own);
            if !there {
                let sentence = format!(
                    "the library `{library}` is not there for release {}",
                    release.name
                );
                let hint = "install it for this release, or take it out";
                missing.push(wanted.finding(setting, sentence, hint));
            }
        }
    }
    missing
}

fn library_dir(release: &Release) -> Option<PathBuf> {
    let lib = release.bin_dir.parent()?.join("lib");
    let places = [lib.clone(), lib.join("postgresql")];
    let found = |dir: &PathBuf| dir.join(SURE_TO_BE_THERE).is_file();
    places.into_iter().find(found)
}

/// As PostgreSQL looks for it.
fn is_there(library: &str, search: &str, own: &Path) -> bool {
    let expanded = |dir: &str| PathBuf::from(dir.replacen("$libdir", &own.to_string_lossy(), 1));
    let with_suffix = format!("{library}.so");
    let names = [library, with_suffix.as_str()];
    if library.contains('/') {
        return names.iter().any(|name| is_library(&expanded(name)));
    }
    let mut dirs = search.split(':').map(expanded);
    dirs.any(|dir| names.iter().any(|name| is_library(&dir.join(name))))
}

fn is_library(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == ELF
}

/// A server that is to speak TLS does not start without them.
pub(super) fn certificates(wanted: &Wanted<'_>, data: &Path) -> Vec<Finding> {
    let on = wanted
        .value("ssl")
        .is_some_and(|ssl| ["on", "true", "yes", "1"].contains(&ssl));
    if !on {
        return Vec::new();
    }
    let needed = ["ssl_cert_file", "ssl_key_file"]
        .into_iter()
        .filter_map(|setting| {
            let file = wanted.value(setting)?;
            let missing = !data.join(file).is_file();
            missing.then(|| {
                let sentence = format!("there is no file `{file}`, which ssl = on needs");
                wanted.finding(setting, sentence, "put it there, or turn ssl off")
            })
        });
    needed.collect()
}

pub(super) fn memory_kb() -> Option<Memory> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let number = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let huge_page = number("Hugepagesize:").unwrap_or(0);
    Some(Memory {
        total: number("MemTotal:")?,
        in_huge_pages: number("HugePages_Total:").unwrap_or(0) * huge_page,
    })
}

/// Where it listens is its own: nobody else has taken it, and it can come there again.
pub(super) fn socket(instance: &Instance) -> Option<Finding> {
    let dir = &instance.places.socket_dir;
    let lock = dir.join(format!(".s.PGSQL.{PORT}.lock"));
    let finding = |sentence, hint: &str| {
        Some(Finding {
            file: Some(lock.display().to_string()),
            sentence,
            hint: hint.to_owned(),
            ..Finding::default()
        })
    };
    let Ok(text) = fs::read_to_string(&lock) else {
        let sentence = "the lock of its socket is gone".to_owned();
        return finding(sentence, "find out who removes files there");
    };
    let holder = text
        .lines()
        .next()
        .and_then(|pid| pid.trim().parse::<i32>().ok());
    let own = instance.server().map(|server| server.pid);
    if holder == own {
        return None;
    }
    let holder = holder.map_or_else(|| "nobody".to_owned(), |pid| format!("process {pid}"));
    let sentence = format!("its socket belongs to {holder}, not to its server");
    finding(sentence, "end the other server")
}
