//! Finds installations of PostgreSQL in a folder: a `bin` with `postgres` in it. Runs nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("look through `{}`", path.display())]
    Look { path: PathBuf, source: io::Error },
    #[error("there is no `bin/postgres` in `{}`", path.display())]
    Nothing { path: PathBuf },
    #[error("`{place}` holds no PostgreSQL: there is no `bin/postgres` in it")]
    NothingInside { place: String },
    #[error("`{place}` holds several installations: {}; say which by its folder", listed(.found))]
    Several { place: String, found: Vec<PathBuf> },
    #[error("`{}` is not one installation in `{place}`; there are: {}", wanted.display(), listed(.found))]
    NotThere {
        place: String,
        wanted: PathBuf,
        found: Vec<PathBuf>,
    },
}

/// No package seen goes deeper than five.
const DEEPEST: usize = 10;

fn listed(found: &[PathBuf]) -> String {
    let names: Vec<String> = found.iter().map(|p| format!("`{}`", p.display())).collect();
    names.join(", ")
}

/// The programs' folder of an installed system directory, which may be that folder itself.
pub(super) fn installed_bin(dir: &Path) -> Result<PathBuf, Error> {
    let candidates = [dir.join("bin"), dir.to_owned()];
    let mut holding = candidates.into_iter().filter(|bin| has_postgres(bin));
    holding.next().ok_or_else(|| Error::Nothing {
        path: dir.to_owned(),
    })
}

/// The one installation in an unpacked tree, relative to it. `place` is its name for messages.
pub(super) fn chosen(tree: &Path, wanted: Option<&Path>, place: &str) -> Result<PathBuf, Error> {
    let place = place.to_owned();
    let mut found = installations(tree)?;
    let Some(wanted) = wanted else {
        return match found.len() {
            0 => Err(Error::NothingInside { place }),
            1 => Ok(found.remove(0)),
            _ => Err(Error::Several { place, found }),
        };
    };
    let meant = |root: &&PathBuf| root.ends_with(wanted) || root.starts_with(wanted);
    let matches: Vec<&PathBuf> = found.iter().filter(meant).collect();
    match matches.as_slice() {
        [one] => Ok((*one).clone()),
        _ => Err(Error::NotThere {
            place,
            wanted: wanted.to_owned(),
            found,
        }),
    }
}

/// Wheels that only wrap a tarball: the tarball, if there is no installation beside it.
pub(super) fn wrapped_tarball(tree: &Path) -> Result<Option<PathBuf>, Error> {
    if !installations(tree)?.is_empty() {
        return Ok(None);
    }
    let mut tarballs = Vec::new();
    walk(tree, DEEPEST, &mut |path| {
        let name = path.to_string_lossy();
        if path.is_file() && (name.ends_with(".tar.gz") || name.ends_with(".tgz")) {
            tarballs.push(path.to_owned());
        }
    })?;
    Ok((tarballs.len() == 1).then(|| tarballs.remove(0)))
}

/// The folder of the `libpq` that an unpacked build brings, if its server would not find it: the
/// part that receives WAL must not pick up whatever version the host has.
pub(super) fn own_libraries(tree: &Path, bin_dir: &Path) -> Result<Option<PathBuf>, Error> {
    const FINDS_ITS_OWN: &[u8] = b"$ORIGIN";
    let mut finds_itself = false;
    let mut holding = Vec::new();
    walk(tree, DEEPEST, &mut |path| {
        if path.ends_with("libpqwalreceiver.so") {
            let text = fs::read(path).unwrap_or_default();
            let mut words = text.windows(FINDS_ITS_OWN.len());
            finds_itself |= words.any(|word| word == FINDS_ITS_OWN);
        }
        if path.ends_with("libpq.so.5") {
            holding.extend(path.parent().map(Path::to_owned));
        }
    })?;
    // Of several installations the libraries nearest to these programs are theirs.
    let shared = |dir: &PathBuf| {
        bin_dir
            .iter()
            .zip(dir.iter())
            .take_while(|(a, b)| a == b)
            .count()
    };
    holding.sort_by_key(shared);
    Ok(holding.pop().filter(|_| !finds_itself))
}

fn installations(tree: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    walk(tree, DEEPEST, &mut |path| {
        let root = path
            .parent()
            .filter(|_| path.ends_with("bin") && has_postgres(path));
        let relative = root.and_then(|root| root.strip_prefix(tree).ok());
        found.extend(relative.map(Path::to_owned));
    })?;
    found.sort();
    Ok(found)
}

/// A link does not count: the name `postgres` may be one that leads elsewhere.
fn has_postgres(bin: &Path) -> bool {
    let postgres = fs::symlink_metadata(bin.join("postgres"));
    postgres.is_ok_and(|found| found.is_file())
}

/// Calls `see` for everything beneath `dir`, following no links.
pub(super) fn walk(dir: &Path, depth: usize, see: &mut dyn FnMut(&Path)) -> Result<(), Error> {
    let look = |source| Error::Look {
        path: dir.to_owned(),
        source,
    };
    for entry in fs::read_dir(dir).map_err(look)? {
        let entry = entry.map_err(look)?;
        let path = entry.path();
        see(&path);
        if depth > 0 && entry.file_type().map_err(look)?.is_dir() {
            walk(&path, depth - 1, see)?;
        }
    }
    Ok(())
}
