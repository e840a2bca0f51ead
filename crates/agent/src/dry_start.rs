//! Tries a start without starting: would the configuration that lies there now do, on this release,
//! and what would it change?
//!
//! PostgreSQL judges its own configuration: the running server says which lines are wrong or wait,
//! and `postgres -C` of the release, with the arguments of a real start, what each would become.
//! What only shows when a server really starts is looked for here by hand, as far as it can be.

mod judge;
mod lines;
mod look;
mod rules;

use upkeep_domain::dry_start::{DryStart, Finding};
use upkeep_domain::host_command::{Answer, HostError};
use upkeep_domain::release::{Release, ReleaseName};

use crate::fault::{OrFailed, failed};
use crate::host::{Host, Instance};
use judge::Judge;
use lines::Lines;
use rules::Wanted;

/// What a running server runs with.
pub(crate) async fn settings(instance: &Instance, names: &[String]) -> Result<Answer, HostError> {
    let session = instance.answering().await?;
    let lines = Lines::read(&session).await.or_failed()?;
    let value = |name: &String| Some((name.clone(), lines.present(name)?.to_owned()));
    Ok(Answer::Settings {
        values: names.iter().filter_map(value).collect(),
    })
}

/// Of a server that runs.
pub(crate) async fn dry_start(
    host: &Host,
    instance: &Instance,
    wanted: &ReleaseName,
) -> Result<Answer, HostError> {
    let session = instance.answering().await?;
    let mut dry_start = DryStart::default();
    let release = match host.releases.verified(wanted.as_str()).await {
        Ok(release) => release,
        Err(error) => {
            dry_start.findings.push(Finding {
                sentence: error.to_string(),
                hint: "see `upkeep releases`; add it again with `upkeep releases:add`".to_owned(),
                ..Finding::default()
            });
            return Ok(Answer::DryStart { dry_start });
        }
    };
    let lines = Lines::read(&session).await.or_failed()?;
    let judge = Judge::new(host, instance, &release)?;
    match judge.reads_all().await.or_failed()? {
        Ok(()) => {
            dry_start.waiting = judge.waiting(&lines).await.or_failed()?;
            let wanted = Wanted::new(&lines, &dry_start.waiting);
            let findings = &mut dry_start.findings;
            findings.extend(rules::broken(&wanted, look::memory_kb()));
            findings.extend(look::libraries(&wanted, &release));
            findings.extend(look::certificates(&wanted, &instance.places.data()));
        }
        Err(said) => dry_start.findings = judge.wrong(&lines, said).await.or_failed()?,
    }
    let findings = &mut dry_start.findings;
    findings.extend(lines::wrong_hba(&session).await.or_failed()?);
    findings.extend(look::socket(instance));
    Ok(Answer::DryStart { dry_start })
}

/// What a start would make of a setting, of a server that need not run.
pub(crate) async fn value_at_start(
    host: &Host,
    instance: &Instance,
    release: &Release,
    name: &str,
) -> Result<String, HostError> {
    let judge = Judge::new(host, instance, release)?;
    judge.says(name).await.or_failed()?.map_err(failed)
}
