//! What the running server says of the configuration files as they are now.

use std::time::Duration;

use upkeep_domain::dry_start::Finding;

use crate::session::{Error, Session, truth, value};

const ASK_WITHIN: Duration = Duration::from_secs(10);

/// Names have no case here, and the last line of a name is the one that counts.
const FILES: &str = "SELECT lower(f.name), f.setting, f.sourcefile, f.sourceline, f.error, s.context \
    FROM pg_catalog.pg_file_settings f \
    LEFT JOIN pg_catalog.pg_settings s ON lower(s.name) = lower(f.name) ORDER BY f.seqno";
const PRESENT: &str = "SELECT lower(name), setting, pending_restart FROM pg_catalog.pg_settings";
const HBA: &str = "SELECT line_number, error, pg_catalog.current_setting('hba_file') \
    FROM pg_catalog.pg_hba_file_rules WHERE error IS NOT NULL ORDER BY line_number";

/// One line that sets something, or tries to.
pub(super) struct Line {
    pub(super) name: Option<String>,
    pub(super) value: Option<String>,
    file: Option<String>,
    number: Option<u32>,
    /// It was not applied: it waits for a restart, or is wrong.
    pub(super) error: Option<String>,
    /// When it can be set; of names that the server knows.
    pub(super) context: Option<String>,
}

impl Line {
    pub(super) fn finding(&self, sentence: String, hint: &str) -> Finding {
        Finding {
            file: self.file.clone(),
            line: self.number,
            setting: self.name.clone(),
            sentence,
            hint: hint.to_owned(),
        }
    }
}

pub(super) struct Lines {
    pub(super) all: Vec<Line>,
    /// Name, value, and whether another value waits for a restart.
    present: Vec<(String, String, bool)>,
}

impl Lines {
    pub(super) async fn read(session: &Session) -> Result<Self, Error> {
        let lines = session.rows(FILES, ASK_WITHIN).await?;
        let present = session.rows(PRESENT, ASK_WITHIN).await?;
        let line = |row| Line {
            name: value(&row, 0),
            value: value(&row, 1),
            file: value(&row, 2),
            number: value(&row, 3),
            error: value(&row, 4),
            context: value(&row, 5),
        };
        let present = present.into_iter().filter_map(|row| {
            let waits = truth(&row, 2) == Some(true);
            Some((value(&row, 0)?, value(&row, 1)?, waits))
        });
        Ok(Self {
            all: lines.into_iter().map(line).collect(),
            present: present.collect(),
        })
    }

    /// The value with which the server runs.
    pub(super) fn present(&self, name: &str) -> Option<&str> {
        let found = self.present.iter().find(|(known, ..)| known == name);
        found.map(|(_, value, _)| value.as_str())
    }

    /// The line that decides about a setting.
    pub(super) fn last(&self, name: &str) -> Option<&Line> {
        let of_name = |line: &&Line| line.name.as_deref() == Some(name);
        self.all.iter().rfind(of_name)
    }

    /// Settings that may have another value after a start, by name.
    pub(super) fn may_wait(&self) -> Vec<&str> {
        let not_applied = self.all.iter().filter(|line| line.error.is_some());
        let of_start = not_applied.filter(|line| line.context.as_deref() == Some("postmaster"));
        let reloaded = self.present.iter().filter(|(.., waits)| *waits);
        let mut names: Vec<_> = of_start
            .filter_map(|line| line.name.as_deref())
            .chain(reloaded.map(|(name, ..)| name.as_str()))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Upkeep writes this file anew at a start, so a wrong line is somebody's who wants something else.
pub(super) async fn wrong_hba(session: &Session) -> Result<Vec<Finding>, Error> {
    let rows = session.rows(HBA, ASK_WITHIN).await?;
    let finding = |row| Finding {
        file: value(&row, 2),
        line: value(&row, 0),
        setting: None,
        sentence: value(&row, 1).unwrap_or_default(),
        hint: "take the line out; Upkeep writes this file itself".to_owned(),
    };
    Ok(rows.into_iter().map(finding).collect())
}
