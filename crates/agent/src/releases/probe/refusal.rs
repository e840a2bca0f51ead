//! Why a build cannot do the work, said so that somebody can do something about it.

use std::io;
use std::path::PathBuf;

use upkeep_domain::release::BadVersion;

use crate::command;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("look into `{}`", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("`{}` lacks {}, without which no instance can be run", bin_dir.display(), .missing.join(", "))]
    Incomplete {
        bin_dir: PathBuf,
        missing: Vec<&'static str>,
    },
    #[error(
        "`{}` may not be executed by the user instances run as: check its rights and those of the folders above it",
        program.display()
    )]
    NotExecutable {
        program: PathBuf,
        source: command::Error,
    },
    #[error("`{}` needs the shared library `{library}`, which is not on this host: install it, or take another build", program.display())]
    MissingLibrary {
        program: PathBuf,
        library: String,
        source: command::Error,
    },
    #[error("`{}` was built for a newer system: it needs `{needed}`; take another build", program.display())]
    NewerSystem {
        program: PathBuf,
        needed: String,
        source: command::Error,
    },
    #[error("`{}` did not do its work when tried", program.display())]
    Failed {
        program: PathBuf,
        source: command::Error,
    },
    #[error("`{}` is no release of PostgreSQL that is known", program.display())]
    NoVersion {
        program: PathBuf,
        source: BadVersion,
    },
}

impl Error {
    /// What it means that `program` could not be run.
    pub(super) fn of(program: PathBuf, source: command::Error) -> Self {
        if is_denied(&source) {
            return Self::NotExecutable { program, source };
        }
        let said = match &source {
            command::Error::Failed { stderr, .. } => stderr.as_str(),
            _ => "",
        };
        if let Some(library) = missing_library(said) {
            return Self::MissingLibrary {
                program,
                library,
                source,
            };
        }
        match missing_symbols(said) {
            Some(needed) => Self::NewerSystem {
                program,
                needed,
                source,
            },
            None => Self::Failed { program, source },
        }
    }
}

fn is_denied(error: &command::Error) -> bool {
    let command::Error::NotStarted { source, .. } = error else {
        return false;
    };
    source.kind() == io::ErrorKind::PermissionDenied
}

/// From the loader's `...: libxml2.so.2: cannot open shared object file: ...`.
fn missing_library(said: &str) -> Option<String> {
    let (before, _) = said.split_once(": cannot open shared object file")?;
    let (_, library) = before.rsplit_once(": ")?;
    Some(library.to_owned())
}

/// From the loader's ``version `GLIBC_2.38' not found``.
fn missing_symbols(said: &str) -> Option<String> {
    let (_, after) = said.split_once("version `")?;
    let (needed, _) = after.split_once("' not found")?;
    Some(needed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_read_from_what_the_loader_says() {
        let said = "/x/postgres: error while loading shared libraries: libicui18n.so.72: \
            cannot open shared object file: No such file or directory";
        assert_eq!(missing_library(said).as_deref(), Some("libicui18n.so.72"));
        let said = "FATAL:  could not load library \"/x/libpqwalreceiver.so\": libpq.so.5: \
            cannot open shared object file: No such file or directory";
        assert_eq!(missing_library(said).as_deref(), Some("libpq.so.5"));
        assert_eq!(missing_library("could not open shared object file"), None);
    }

    #[test]
    fn a_system_too_old_is_told_from_a_missing_library() {
        let said = "/x/postgres: /lib/libc.so.6: version `GLIBC_2.99' not found (required by /x)";
        assert_eq!(missing_symbols(said).as_deref(), Some("GLIBC_2.99"));
        assert_eq!(missing_library(said), None);
    }
}
