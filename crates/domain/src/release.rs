//! PostgreSQL releases: one build of one version that a host has at hand, and how one is asked for.
//!
//! Rules only. Nothing here looks at a disk or runs a program: the store of releases on a host is
//! the agent's, and what is said here about a build was found out there by running it.

mod catalogue;
pub mod knowledge;
mod name;
mod upgrade;
mod version;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use catalogue::{Catalogue, NotFound};
pub use name::{BadName, ReleaseName};
pub use upgrade::{Refusal, upgrade_allowed};
pub use version::{BadVersion, Version};

/// Without these three nothing can be created, started or stopped. Some builds have only them.
pub const REQUIRED_PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Copies a running instance; may be borrowed from another release.
pub const BASEBACKUP: &str = "pg_basebackup";

/// One build, as it was found when it was probed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub name: ReleaseName,
    pub version: Version,
    pub source: Source,
    /// Holds the programs. The store hands it out as an absolute path.
    pub bin_dir: PathBuf,
    /// To be put in `LD_LIBRARY_PATH`, for builds that do not find their own libraries.
    pub library_dir: Option<PathBuf>,
    pub programs: BTreeSet<String>,
    pub extensions: BTreeSet<String>,
    pub tls: bool,
    pub icu: bool,
    /// Works from any folder, so the store keeps its own copy; otherwise it is used where it is.
    pub relocatable: bool,
    /// Unix time.
    pub added_ms: u64,
}

/// Where a release came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// Installed on the host by somebody else; only recorded.
    System { dir: PathBuf },
    /// Downloaded from the package sources of the host, unpacked, not installed.
    Debian {
        package: String,
        package_version: String,
    },
    /// A file that the operator brought.
    Archive { file_name: String, sha256: String },
}

/// A wish to add a release; travels from the operator to the agent of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddRelease {
    /// Without one it is made from the version and the source, such as `15.18-system`.
    #[serde(default)]
    pub name: Option<ReleaseName>,
    pub from: AddFrom,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AddFrom {
    /// The folder of an installation, or its `bin`.
    System { dir: PathBuf },
    /// `15.20`, or the version of a package such as `15.20-0+deb12u1`.
    Debian { version: String },
    /// `.deb`, `.whl`, `.zip`, `.tgz` or `.tar.gz` on the host's own disk.
    Archive {
        path: PathBuf,
        /// Refused if the file has another one.
        #[serde(default)]
        sha256: Option<String>,
        /// Folder within the archive, for archives that hold several installations.
        #[serde(default)]
        root: Option<PathBuf>,
    },
}

impl Release {
    /// Path of a program of this release, if it has it.
    pub fn program(&self, program: &str) -> Option<PathBuf> {
        self.programs
            .contains(program)
            .then(|| self.bin_dir.join(program))
    }

    /// What it lacks of the programs without which no instance can be run.
    pub fn missing_programs(&self) -> Vec<&'static str> {
        missing_programs(&self.programs)
    }
}

/// See [`Release::missing_programs`].
pub fn missing_programs(present: &BTreeSet<String>) -> Vec<&'static str> {
    let lacks = |program: &&str| !present.contains(*program);
    REQUIRED_PROGRAMS.into_iter().filter(lacks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_understood_without_its_optional_parts() {
        let wish = r#"{"from":{"kind":"archive","path":"/tmp/pg.tgz"}}"#;
        let wish: AddRelease = serde_json::from_str(wish).unwrap();
        let from = AddFrom::Archive {
            path: "/tmp/pg.tgz".into(),
            sha256: None,
            root: None,
        };
        assert_eq!(wish, AddRelease { name: None, from });
    }

    #[test]
    fn what_is_missing_is_only_what_no_instance_can_do_without() {
        let present = ["initdb", "postgres", "psql"].map(str::to_owned).into();
        assert_eq!(missing_programs(&present), ["pg_ctl"]);
    }
}
