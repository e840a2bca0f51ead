//! The steps from a wish to a release: get it, find the programs, try them, give it its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use upkeep_domain::release::{AddFrom, AddRelease, Release, ReleaseName, Source, Version};

use crate::command::RunAs;

use super::probe::Build;
use super::{Error, archive, debian, folder_error, locate, probe, record, settle, unpack};

/// A build that was got but not tried.
struct Got {
    source: Source,
    bin_dir: PathBuf,
    library_dir: Option<PathBuf>,
    /// Second half of the name, if none was wished for.
    origin: &'static str,
    relocatable: bool,
}

/// Everything is done in `aside`, of which `tree` becomes the folder of the release in `store`.
pub(super) async fn add(
    store: &Path,
    aside: &Path,
    run_as: Option<&RunAs>,
    wish: AddRelease,
) -> Result<Release, Error> {
    if let Some(name) = &wish.name {
        refuse_taken(store, name)?;
    }
    let got = get(wish.from, aside).await?;
    let build = Build {
        bin_dir: &got.bin_dir,
        library_dir: got.library_dir.as_deref(),
        run_as,
    };
    let found = build.probe(&aside.join("probe")).await?;
    let name = match wish.name {
        Some(name) => name,
        None => default_name(found.version, got.origin),
    };
    refuse_taken(store, &name)?;
    let tree = aside.join("tree");
    let release = Release {
        name,
        version: found.version,
        source: got.source,
        bin_dir: got.bin_dir,
        library_dir: got.library_dir,
        programs: found.programs,
        extensions: found.extensions,
        tls: found.tls,
        icu: found.icu,
        relocatable: got.relocatable,
        added_ms: made_ms(aside).map_err(|source| folder_error(aside, source))?,
    };
    record::write(&tree, &release)?;
    let folder = store.join(release.name.as_str());
    fs::rename(&tree, &folder)
        .and_then(|()| super::sync_folder(store))
        .map_err(|source| folder_error(&folder, source))?;
    tracing::info!(release = %release.name, version = %release.version, "release added");
    Ok(record::read(&folder)?)
}

fn refuse_taken(store: &Path, name: &ReleaseName) -> Result<(), Error> {
    if store.join(name.as_str()).exists() {
        return Err(Error::Exists { name: name.clone() });
    }
    Ok(())
}

fn default_name(version: Version, origin: &str) -> ReleaseName {
    let name = format!("{version}-{origin}");
    name.parse().expect("a version and a word make a name")
}

/// The time by the clock of the file system.
fn made_ms(folder: &Path) -> io::Result<u64> {
    let made = fs::metadata(folder)?.modified()?;
    let since = made.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    u64::try_from(since.as_millis()).map_err(io::Error::other)
}

async fn get(from: AddFrom, aside: &Path) -> Result<Got, Error> {
    let tree = aside.join("tree");
    fs::create_dir(&tree).map_err(|source| folder_error(&tree, source))?;
    match from {
        AddFrom::System { dir } => get_installed(&dir),
        AddFrom::Debian { version } => get_packages(&version, aside, &tree).await,
        AddFrom::Archive { path, sha256, root } => {
            let (from, into) = (path, aside.to_owned());
            let take = move || archive::take(&from, sha256.as_deref(), &into);
            let taken = tokio::task::spawn_blocking(take).await??;
            get_archive(taken, root.as_deref(), aside, &tree).await
        }
    }
}

/// The folder is recorded as it really is: a link to it may lead to another build tomorrow.
fn get_installed(dir: &Path) -> Result<Got, Error> {
    let dir = dir
        .canonicalize()
        .map_err(|source| folder_error(dir, source))?;
    Ok(Got {
        bin_dir: locate::installed_bin(&dir)?,
        library_dir: None,
        source: Source::System { dir },
        origin: "system",
        relocatable: false,
    })
}

async fn get_packages(version: &str, aside: &Path, tree: &Path) -> Result<Got, Error> {
    let package = debian::find(version).await?;
    debian::fetch(&package, &aside.join("packages"), tree).await?;
    let source = Source::Debian {
        package: package.name,
        package_version: package.version,
    };
    let place = format!("the package {version}");
    unpacked(
        tree.to_owned(),
        tree.to_owned(),
        None,
        place,
        source,
        "debian",
    )
    .await
}

async fn get_archive(
    taken: archive::Taken,
    root: Option<&Path>,
    aside: &Path,
    tree: &Path,
) -> Result<Got, Error> {
    unpack::unpack(&taken.copy, taken.kind, tree).await?;
    let mut searched = tree.to_owned();
    if let Some(tarball) = locate::wrapped_tarball(tree)? {
        // Moved away first: the release does not need it any more.
        let inner = aside.join("inner.tar.gz");
        fs::rename(&tarball, &inner).map_err(|source| folder_error(&tarball, source))?;
        searched = tree.join("unpacked");
        unpack::unpack(&inner, archive::Kind::TarGz, &searched).await?;
    }
    let origin = match taken.kind {
        archive::Kind::Deb => "deb",
        archive::Kind::Wheel => "wheel",
        archive::Kind::Zip => "zip",
        archive::Kind::TarGz if settle::is_npm(tree) => "npm",
        archive::Kind::TarGz => "tar",
    };
    let source = Source::Archive {
        file_name: taken.file_name.clone(),
        sha256: taken.sha256,
    };
    let root = root.map(Path::to_owned);
    unpacked(
        tree.to_owned(),
        searched,
        root,
        taken.file_name,
        source,
        origin,
    )
    .await
}

/// Thousands of files are looked at and synced: not on a thread of the runtime.
async fn unpacked(
    tree: PathBuf,
    searched: PathBuf,
    root: Option<PathBuf>,
    place: String,
    source: Source,
    origin: &'static str,
) -> Result<Got, Error> {
    let work = move || {
        let root = locate::chosen(&searched, root.as_deref(), &place)?;
        let bin_dir = searched.join(root).join("bin");
        settle::settle(&tree, &bin_dir)?;
        Ok(Got {
            library_dir: locate::own_libraries(&tree, &bin_dir)?,
            bin_dir,
            source,
            origin,
            relocatable: true,
        })
    };
    tokio::task::spawn_blocking(work).await?
}

/// What the programs say they are now: an installed build may have been replaced where it is.
pub(super) async fn version_now(
    release: &Release,
    run_as: Option<&RunAs>,
) -> Result<Version, probe::Error> {
    let build = Build {
        bin_dir: &release.bin_dir,
        library_dir: release.library_dir.as_deref(),
        run_as,
    };
    build.version().await
}
