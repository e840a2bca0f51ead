//! Makes an unpacked tree fit to be used by the user instances run as, and durable.
//!
//! Wheels lose the right to execute, npm packages lose their links; everything else is as it was
//! packed. A link that leads out of the tree is refused here, after all of them are there: only
//! then is it known where each leads.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("prepare `{}`", path.display())]
    Prepare { path: PathBuf, source: io::Error },
    #[error("the archive is refused: its link `{}` leads out of it or nowhere that can be told", link.display())]
    LinkOutside { link: PathBuf },
    #[error("understand the list of links `{}`", path.display())]
    Links {
        path: PathBuf,
        source: serde_json::Error,
    },
}

/// npm packages name their links here, relative to the package.
const NPM_LINKS: &str = "package/native/pg-symlinks.json";

#[derive(Deserialize)]
struct NpmLink {
    source: PathBuf,
    target: PathBuf,
}

/// True if the tree is an npm package that says which links it lacks.
pub(super) fn is_npm(tree: &Path) -> bool {
    tree.join(NPM_LINKS).is_file()
}

pub(super) fn settle(tree: &Path, bin_dir: &Path) -> Result<(), Error> {
    if is_npm(tree) {
        recreate_links(tree)?;
    }
    let real_tree = tree.canonicalize().map_err(prepare(tree))?;
    settle_folder(tree, &real_tree, bin_dir)
}

fn prepare(path: &Path) -> impl Fn(io::Error) -> Error + use<'_> {
    |source| Error::Prepare {
        path: path.to_owned(),
        source,
    }
}

fn recreate_links(tree: &Path) -> Result<(), Error> {
    let list = tree.join(NPM_LINKS);
    let text = fs::read_to_string(&list).map_err(prepare(&list))?;
    let links: Vec<NpmLink> = match serde_json::from_str(&text) {
        Ok(links) => links,
        Err(source) => return Err(Error::Links { path: list, source }),
    };
    let package = tree.join("package");
    for NpmLink { source, target } in links {
        let outside = || Error::LinkOutside {
            link: target.clone(),
        };
        let name = source.file_name().ok_or_else(outside)?;
        // All of them lie beside the file they lead to; the name alone cannot leave the folder.
        if source.parent() != target.parent() || !super::unpack::stays_inside(&target) {
            return Err(outside());
        }
        let link = package.join(&target);
        match symlink(name, &link) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => done.map_err(prepare(&link))?,
        }
    }
    Ok(())
}

fn settle_folder(folder: &Path, tree: &Path, bin_dir: &Path) -> Result<(), Error> {
    let failed = prepare(folder);
    for entry in fs::read_dir(folder).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        let found = fs::symlink_metadata(&path).map_err(&failed)?;
        if found.is_symlink() {
            link_stays_inside(&path, tree)?;
        } else if found.is_dir() {
            settle_folder(&path, tree, bin_dir)?;
        } else {
            let program = found.permissions().mode() & 0o111 != 0 || folder == bin_dir;
            open_to_all(&path, program)?;
        }
    }
    open_to_all(folder, true)
}

/// Readable by whoever instances run as, writable by us alone, and on disk.
fn open_to_all(path: &Path, executable: bool) -> Result<(), Error> {
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, Permissions::from_mode(mode))
        .and_then(|()| File::open(path)?.sync_all())
        .map_err(prepare(path))
}

/// A link to nothing is left if its own text cannot lead out: packages have such to their
/// neighbours' documentation.
fn link_stays_inside(link: &Path, tree: &Path) -> Result<(), Error> {
    let outside = || Error::LinkOutside {
        link: link.strip_prefix(tree).unwrap_or(link).to_owned(),
    };
    if let Ok(end) = link.canonicalize() {
        return if end.starts_with(tree) {
            Ok(())
        } else {
            Err(outside())
        };
    }
    let text = fs::read_link(link).map_err(prepare(link))?;
    let ups = text.iter().filter(|part| *part == "..").count();
    let depth = link
        .strip_prefix(tree)
        .map_or(0, |inner| inner.iter().count() - 1);
    if text.is_relative() && ups <= depth {
        return Ok(());
    }
    Err(outside())
}
