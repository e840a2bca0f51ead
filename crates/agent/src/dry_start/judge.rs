//! `postgres -C`: the release itself reads the configuration, and says what comes of it.

use std::time::Duration;

use upkeep_domain::dry_start::{Finding, WaitingSetting};
use upkeep_domain::host_command::HostError;
use upkeep_domain::instance::Identity;
use upkeep_domain::release::Release;

use super::lines::Lines;
use crate::command::{self, Command};
use crate::configuration;
use crate::fault::OrFailed;
use crate::host::{Host, Instance};
use crate::identity;
use crate::releases::program;

const WITHIN: Duration = Duration::from_secs(20);
const PUT_RIGHT: &str = "put the value right, or take the line out";

pub(super) struct Judge<'a> {
    host: &'a Host,
    instance: &'a Instance,
    release: &'a Release,
    identity: Identity,
}

/// What it says, or why it cannot.
type Said = Result<String, String>;

impl<'a> Judge<'a> {
    pub(super) fn new(
        host: &'a Host,
        instance: &'a Instance,
        release: &'a Release,
    ) -> Result<Self, HostError> {
        program(release, "postgres").or_failed()?;
        let identity = identity::read(&instance.places.data()).or_failed()?;
        Ok(Self {
            host,
            instance,
            release,
            identity,
        })
    }

    /// Whether the files can be read as a start reads them.
    pub(super) async fn reads_all(&self) -> Result<Result<(), String>, command::Error> {
        Ok(self.says("data_directory").await?.map(drop))
    }

    /// The value that a start would give to a setting.
    pub(super) async fn says(&self, name: &str) -> Result<Said, command::Error> {
        let places = &self.instance.places;
        let postgres = self.postgres().arg("-D").arg(places.data());
        let postgres = postgres.args(configuration::arguments(places, &self.identity));
        said(postgres.args(["-C", name])).await
    }

    /// Whether a start takes this value, whatever else there is.
    async fn takes(&self, name: &str, value: &str) -> Result<Said, command::Error> {
        // A folder without any configuration that would be read beside it.
        let postgres = self.postgres().arg("-D").arg(self.instance.places.conf());
        let setting = format!("{name}={value}");
        let alone = ["-c", "config_file=/dev/null", "-c", &setting, "-C", name];
        said(postgres.args(alone)).await
    }

    fn postgres(&self) -> Command {
        let postgres = program(self.release, "postgres");
        let postgres = postgres.unwrap_or_else(|_| unreachable!("`new` has looked"));
        postgres.run_as(self.host.run_as.clone()).deadline(WITHIN)
    }

    /// What a start would change.
    pub(super) async fn waiting(
        &self,
        lines: &Lines,
    ) -> Result<Vec<WaitingSetting>, command::Error> {
        let mut waiting = Vec::new();
        for name in lines.may_wait() {
            let before = lines.present(name).unwrap_or_default();
            match self.says(name).await? {
                Ok(after) if after != before => waiting.push(WaitingSetting {
                    name: name.to_owned(),
                    before: before.to_owned(),
                    after,
                }),
                // As it is; or of a library, which nobody but the server can ask.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(waiting)
    }

    /// The lines for which it does not read the files; what it says of them if none is found.
    pub(super) async fn wrong(
        &self,
        lines: &Lines,
        said: String,
    ) -> Result<Vec<Finding>, command::Error> {
        let mut wrong = Vec::new();
        for line in &lines.all {
            let Some(error) = &line.error else { continue };
            let known = line.name.as_ref().zip(line.value.as_ref());
            match known.filter(|_| line.context.is_some()) {
                Some((name, value)) => {
                    if let Err(sentence) = self.takes(name, value).await? {
                        wrong.push(line.finding(sentence, PUT_RIGHT));
                    }
                }
                None => wrong.push(line.finding(error.clone(), PUT_RIGHT)),
            }
        }
        if wrong.is_empty() {
            wrong.push(Finding {
                sentence: said,
                hint: "put the configuration right".to_owned(),
                ..Finding::default()
            });
        }
        Ok(wrong)
    }
}

async fn said(postgres: Command) -> Result<Said, command::Error> {
    let output = postgres.output().await?;
    Ok(if output.status.success() {
        Ok(output.stdout.trim().to_owned())
    } else {
        Err(sentence(&output.stderr))
    })
}

/// `2026-11-26 22:52:02.237 UTC [25766] FATAL:  invalid value ...`, without what is always there.
fn sentence(stderr: &str) -> String {
    const NOISE: [&str; 2] = ["skipping missing configuration file", "contains errors"];
    let message = |line: &'_ str| {
        let (_, message) = line.split_once(":  ")?;
        Some(message.trim().to_owned()).filter(|m| !NOISE.iter().any(|noise| m.contains(noise)))
    };
    let messages: Vec<_> = stderr.lines().filter_map(message).collect();
    if messages.is_empty() {
        return stderr.trim().to_owned();
    }
    messages.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_says_is_told_without_its_noise() {
        let said = "2026-11-26 22:52:02.384 GMT [25773] LOG:  skipping missing configuration file \"/x\"\n\
            2026-11-26 22:52:02.384 GMT [25773] LOG:  unrecognized configuration parameter \"strange\" in file \"/a.conf\" line 817\n\
            2026-11-26 22:52:02.384 GMT [25773] FATAL:  configuration file \"/a.conf\" contains errors\n";
        assert_eq!(
            sentence(said),
            "unrecognized configuration parameter \"strange\" in file \"/a.conf\" line 817"
        );
        assert_eq!(sentence("Killed"), "Killed");
    }
}
