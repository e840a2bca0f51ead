//! What a maintenance has to know of a server before it begins. Everything here only reads; what it
//! means is judged elsewhere.

mod configuration;
mod contents;
mod detect;
mod libraries;
mod replication;

use std::time::Duration;

use upkeep_domain::host_command::{Answer, HostError};
use upkeep_domain::preflight::{Facts, List, OpenTransaction};
use upkeep_domain::release::knowledge::Detector;
use upkeep_domain::release::{ReleaseName, Version};

use crate::activity;
use crate::configuration::{SUPERUSER, literal};
use crate::fault::OrFailed;
use crate::host::{Host, Instance};
use crate::session::{self, Row, Session, text, value};

const ASK_WITHIN: Duration = Duration::from_secs(5);
/// Names that are told; of the others only the number is.
const LISTED: u32 = 20;

/// What is wanted.
pub(crate) struct Wish {
    pub(crate) dbname: String,
    pub(crate) target: Option<ReleaseName>,
    pub(crate) detectors: Vec<Detector>,
}

pub(crate) async fn facts(
    host: &Host,
    instance: &Instance,
    wish: Wish,
) -> Result<Answer, HostError> {
    let record = instance.complete_record()?;
    instance.refuse_frozen()?;
    let inside = Inside(activity::inside(instance, &wish.dbname).await?);
    let session = &inside.0;
    // Errors of configuration files are told apart by their words.
    session
        .run("SET lc_messages = 'C'", ASK_WITHIN)
        .await
        .or_failed()?;
    let running = version(session).await.or_failed()?;
    let (age, who) = activity::oldest(session, &literal(&wish.dbname)).await?;
    let release = host.releases.info(record.release.as_str()).ok();
    let target = wish.target.as_ref().map(ReleaseName::as_str);
    let target = target.and_then(|name| host.releases.info(name).ok());
    let mut facts = Facts {
        running: Some(running),
        oldest_transaction: age
            .zip(who)
            .map(|(age_ms, who)| OpenTransaction { age_ms, who }),
        bypassing_sessions: bypassing(&inside).await.or_failed()?,
        findings: detect::findings(&inside, &wish.detectors).await,
        ..Facts::default()
    };
    replication::add(&inside, &mut facts).await.or_failed()?;
    configuration::add(&inside, &mut facts).await.or_failed()?;
    contents::add(&inside, running, &mut facts)
        .await
        .or_failed()?;
    facts.relation_files = contents::relation_files(&instance.places.data());
    facts.icu = libraries::icu(release.as_ref(), target.as_ref());
    if let Some(target) = &target {
        facts.missing_libraries = libraries::missing(&inside, target).await.or_failed()?;
    }
    Ok(Answer::Facts {
        facts: Box::new(facts),
    })
}

/// A session in the database that is looked at.
struct Inside(Session);

impl Inside {
    async fn rows(&self, sql: &str) -> Result<Vec<Row>, session::Error> {
        self.0.rows(sql, ASK_WITHIN).await
    }

    async fn row(&self, sql: &str) -> Result<Row, session::Error> {
        self.0.row(sql, ASK_WITHIN).await
    }

    /// `sql` yields one column of names.
    async fn list(&self, sql: &str) -> Result<List, session::Error> {
        let sql = format!(
            "SELECT name, count(*) OVER () FROM ({sql}) AS listed(name) ORDER BY 1 LIMIT {LISTED}"
        );
        let rows = self.rows(&sql).await?;
        let total = rows.first().and_then(|row| value(row, 1));
        Ok(List {
            total: total.unwrap_or_default(),
            first: rows
                .iter()
                .filter_map(|row| value::<String>(row, 0))
                .collect(),
        })
    }
}

async fn version(session: &Session) -> Result<Version, session::Error> {
    let sql = "SELECT pg_catalog.current_setting('server_version_num')";
    let row = session.row(sql, ASK_WITHIN).await?;
    let number: u32 = text(&row, 0)?.parse().map_err(|_| session::Error::Empty)?;
    Ok(Version::new(
        (number / 10_000) as u16,
        (number % 10_000) as u16,
    ))
}

/// Only our own role can log in other than through the endpoint: the socket's folder is closed to
/// everybody else. Such a session is one of a person who works on the host.
async fn bypassing(inside: &Inside) -> Result<List, session::Error> {
    let sql = format!(
        "SELECT pg_catalog.format('%s (%s, %s)', usename, \
           coalesce(nullif(application_name, ''), 'no application name'), state) \
         FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' \
           AND usename = '{SUPERUSER}' AND application_name <> 'upkeep'"
    );
    inside.list(&sql).await
}
