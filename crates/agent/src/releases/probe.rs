//! Finds out by trying what a build can do: its programs are run as the user instances run as, a
//! cluster is made and asked. Nothing is believed that was not seen, except that a program which
//! answers `--version` also does the rest of its work.

mod refusal;

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use upkeep_domain::release::{REQUIRED_PROGRAMS, Version, missing_programs};

use crate::command::{Command, Output, RunAs};

pub(super) use refusal::Error;

const QUICK: Duration = Duration::from_secs(10);

/// One line each: the server without clients takes a line for a statement. A build that cannot
/// load the first cannot be a standby; the names of the second are only imported by one with ICU.
const QUESTIONS: &str = "\
load 'libpqwalreceiver'\n\
select 'icu' as feature from pg_collation where collname like '%-x-icu' limit 1\n\
select name as extension from pg_available_extensions\n";

pub(super) struct Findings {
    pub(super) version: Version,
    pub(super) programs: BTreeSet<String>,
    pub(super) extensions: BTreeSet<String>,
    pub(super) tls: bool,
    pub(super) icu: bool,
}

/// A build to be tried.
pub(super) struct Build<'a> {
    pub(super) bin_dir: &'a Path,
    pub(super) library_dir: Option<&'a Path>,
    pub(super) run_as: Option<&'a RunAs>,
}

impl Build<'_> {
    /// `scratch` is created, for a cluster; whoever calls removes it.
    pub(super) async fn probe(&self, scratch: &Path) -> Result<Findings, Error> {
        let version = self.version().await?;
        let programs = self.programs().await?;
        let data = self.make_cluster(scratch).await?;
        let answers = self.ask(&data).await?;
        Ok(Findings {
            version,
            programs,
            extensions: values(&answers.stdout, "extension").collect(),
            icu: values(&answers.stdout, "feature").any(|found| found == "icu"),
            tls: self.can_switch_tls_on(&data).await,
        })
    }

    pub(super) async fn version(&self) -> Result<Version, Error> {
        let output = self.run("postgres", self.command("postgres").arg("--version"));
        let banner = output.await?.stdout;
        Version::from_banner(&banner).map_err(|source| Error::NoVersion {
            program: self.bin_dir.join("postgres"),
            source,
        })
    }

    /// Those that start: a program whose libraries are not here is as good as not there.
    async fn programs(&self) -> Result<BTreeSet<String>, Error> {
        let names = self.file_names()?;
        let missing = missing_programs(&names);
        if !missing.is_empty() {
            return Err(Error::Incomplete {
                bin_dir: self.bin_dir.to_owned(),
                missing,
            });
        }
        let mut working = BTreeSet::new();
        for name in names {
            match self.run(&name, self.command(&name).arg("--version")).await {
                Ok(_) => {
                    working.insert(name);
                }
                Err(error) if REQUIRED_PROGRAMS.contains(&name.as_str()) => return Err(error),
                Err(error) => tracing::warn!(name, %error, "program left out of the release"),
            }
        }
        Ok(working)
    }

    fn file_names(&self) -> Result<BTreeSet<String>, Error> {
        let listed = std::fs::read_dir(self.bin_dir).and_then(|entries| {
            let is_program = |path: &Path| path.is_file();
            entries
                .map(|entry| entry.map(|entry| (entry.path(), entry.file_name())))
                .filter(|entry| entry.as_ref().is_ok_and(|(path, _)| is_program(path)))
                .map(|entry| entry.map(|(_, name)| name.to_string_lossy().into_owned()))
                .collect()
        });
        listed.map_err(|source| Error::Folder {
            path: self.bin_dir.to_owned(),
            source,
        })
    }

    async fn make_cluster(&self, scratch: &Path) -> Result<PathBuf, Error> {
        let made = DirBuilder::new()
            .mode(0o700)
            .create(scratch)
            .and_then(|()| {
                self.run_as.map_or(Ok(()), |user| {
                    chown(scratch, Some(user.uid), Some(user.gid))
                })
            });
        made.map_err(|source| Error::Folder {
            path: scratch.to_owned(),
            source,
        })?;
        let data = scratch.join("data");
        let initdb = self
            .command("initdb")
            .args(["--no-sync", "--auth=trust", "--username=postgres"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(&data)
            .deadline(Duration::from_mins(1));
        self.run("initdb", initdb).await?;
        Ok(data)
    }

    async fn ask(&self, data: &Path) -> Result<Output, Error> {
        let server = self
            .command("postgres")
            .args(["--single", "-c", "exit_on_error=on", "-D"])
            .arg(data)
            .arg("postgres")
            .input(QUESTIONS);
        self.run("postgres", server).await
    }

    /// A build without TLS refuses the setting itself, before it looks for a certificate.
    async fn can_switch_tls_on(&self, data: &Path) -> bool {
        let server = self.command("postgres").arg("-D").arg(data);
        let server = server.args(["-c", "ssl=on", "-C", "ssl"]);
        let shown = self.run("postgres", server).await;
        shown.is_ok_and(|output| output.stdout.trim() == "on")
    }

    fn command(&self, program: &str) -> Command {
        let command = Command::new(self.bin_dir.join(program))
            .run_as(self.run_as.cloned())
            .deadline(QUICK)
            .die_with_parent();
        match self.library_dir {
            Some(dir) => command.env("LD_LIBRARY_PATH", dir),
            None => command,
        }
    }

    async fn run(&self, program: &str, command: Command) -> Result<Output, Error> {
        let path = self.bin_dir.join(program);
        command.run().await.map_err(|error| Error::of(path, error))
    }
}

/// The server without clients answers with lines such as `1: extension = "plpgsql" (typeid = ...)`.
fn values<'a>(answers: &'a str, column: &'a str) -> impl Iterator<Item = String> + 'a {
    answers.lines().filter_map(move |line| {
        let (_, after) = line.split_once(": ")?;
        let value = after.strip_prefix(column)?.strip_prefix(" = \"")?;
        Some(value.split_once('"')?.0.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_are_read_from_an_answer_and_not_the_heading() {
        let answers = "\t 1: extension\t(typeid = 19, len = 64, typmod = -1, byval = f)\n\t----\n\
            \t 1: extension = \"uuid-ossp\"\t(typeid = 19, len = 64, typmod = -1, byval = f)\n\t----\n";
        let found: Vec<String> = values(answers, "extension").collect();
        assert_eq!(found, ["uuid-ossp"]);
        assert_eq!(values(answers, "feature").count(), 0);
    }
}
