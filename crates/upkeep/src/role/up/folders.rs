//! The folders of `upkeep up`. What it makes and then does not use is removed again.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use super::absolute;
use crate::exit::Failure;

/// `/data/agent/s/0123abcd/.s.PGSQL.5432` must fit in a socket address of 107 bytes.
const DIR_BYTES_MAX: usize = 60;

/// PostgreSQL runs as another user and has to reach its data; secrets are files of mode 0600.
const INSIDE: [(&str, u32); 5] = [
    ("agent", 0o755),
    ("endpoint", 0o700),
    ("control", 0o700),
    ("run", 0o700),
    ("log", 0o700),
];

/// Those that did not exist before are removed with it, as long as they are empty.
pub(super) struct Folders {
    dir: Utf8PathBuf,
    made: Vec<Utf8PathBuf>,
}

impl Folders {
    /// Makes the directory and its folders where they are missing.
    pub(super) fn make(dir: &Utf8Path) -> Result<Self> {
        let dir = absolute(dir)?;
        if dir.as_str().len() > DIR_BYTES_MAX {
            let sentence = format!(
                "the directory `{dir}` is too long: sockets below it must fit in 107 bytes, so use at most {DIR_BYTES_MAX}"
            );
            return Err(Failure::refused(sentence).into());
        }
        let made = Vec::new();
        let mut folders = Self { dir, made };
        folders.make_one(&folders.dir.clone(), 0o755)?;
        for (name, mode) in INSIDE {
            folders.make_one(&folders.dir.join(name), mode)?;
        }
        Ok(folders)
    }

    pub(super) fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// Of the one `up` that may run here.
    pub(super) fn lock_file(&self) -> Utf8PathBuf {
        self.dir.join("run/up.pid")
    }

    /// From here on they are in use.
    pub(super) fn keep(mut self) {
        self.made.clear();
    }

    fn make_one(&mut self, folder: &Utf8Path, mode: u32) -> Result<()> {
        let missing = folder.ancestors().take_while(|folder| !folder.exists());
        let missing: Vec<_> = missing.map(Utf8Path::to_owned).collect();
        self.made.extend(missing.into_iter().rev());
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(folder)
            .with_context(|| format!("make the directory `{folder}`"))
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        if self.made.contains(&self.dir.join("run")) {
            let _ = fs::remove_file(self.lock_file());
        }
        for folder in self.made.iter().rev() {
            // One that is not empty has become somebody's.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_was_made_goes_again_unless_it_is_kept_or_used() {
        let outside = TempDir::new().expect("a directory is made");
        let outside = Utf8Path::from_path(outside.path()).expect("it is UTF-8");
        let dir = outside.join("a/b");
        drop(Folders::make(&dir).expect("it can be made"));
        assert!(!outside.join("a").exists());

        let folders = Folders::make(&dir).expect("it can be made");
        fs::write(dir.join("log/mine"), "").expect("it can be written to");
        drop(folders);
        assert!(dir.join("log/mine").exists() && !dir.join("run").exists());

        Folders::make(&dir).expect("it can be made").keep();
        drop(Folders::make(&dir).expect("it is there"));
        assert!(dir.join("run").exists());
    }
}
