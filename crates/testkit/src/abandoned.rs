//! Fixtures whose process was killed before it could clear away: the next one does it for them.
//!
//! A fixture holds a lock on a file in its directory for as long as it lives. The kernel lets go of it
//! whatever ends the process, so a directory whose lock can be had is nobody's any more.

use std::fs::{self, File};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::{Flock, FlockArg};

use crate::up::end_all_in;

const LOCK: &str = "owner";
const EVERYWHERE: &str = "/tmp";

/// Says that somebody still needs a directory.
pub(crate) struct Owner {
    /// Of the file that is locked.
    path: Utf8PathBuf,
    _lock: Flock<File>,
}

impl Owner {
    pub(crate) fn of(dir: &Utf8Path) -> io::Result<Self> {
        // It gets its name when it is locked: nobody ever finds it free.
        let draft = dir.join("owner.draft");
        let file = File::create(&draft)?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, errno)| io::Error::from(errno))?;
        let path = dir.join(LOCK);
        fs::rename(&draft, &path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Leaves the directory to whoever wants it: it is not cleared away.
    pub(crate) fn give_up(self) -> io::Result<()> {
        fs::remove_file(self.path)
    }
}

/// Ends what runs in the directories of fixtures that are dead, and removes them.
pub(crate) fn clear_away(prefix: &str) {
    let entries = Utf8Path::new(EVERYWHERE).read_dir_utf8();
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().starts_with(prefix) {
            clear_away_one(entry.path());
        }
    }
}

fn clear_away_one(dir: &Utf8Path) {
    let lock = |file| Flock::lock(file, FlockArg::LockExclusiveNonblock).ok();
    // Held until it is gone, so that two do not clear away the same.
    let Some(_abandoned) = File::open(dir.join(LOCK)).ok().and_then(lock) else {
        return;
    };
    end_all_in(dir);
    // It may belong to another user: then it is theirs to clear away.
    let _ = fs::remove_dir_all(dir);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_owns_any_more_is_cleared_away() {
        let prefix = "abandoned-test-";
        let make = || {
            tempfile::Builder::new()
                .prefix(prefix)
                .tempdir_in(EVERYWHERE)
        };
        let [owned, left, never_owned] = [make(), make(), make()].map(Result::unwrap);
        let path = |dir: &tempfile::TempDir| Utf8PathBuf::try_from(dir.path().to_owned()).unwrap();
        let _owner = Owner::of(&path(&owned)).unwrap();
        drop(Owner::of(&path(&left)).unwrap());
        clear_away(prefix);
        let there = [&owned, &left, &never_owned].map(|dir| dir.path().exists());
        assert_eq!(there, [true, false, true]);
    }
}
