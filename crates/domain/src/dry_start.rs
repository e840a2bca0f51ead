//! What is found out about a start before anything is stopped for it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why it would not start, or not as it should, and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub file: Option<String>,
    pub line: Option<u32>,
    pub setting: Option<String>,
    /// What is wrong.
    pub sentence: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(setting) = &self.setting {
            write!(f, "setting {setting}")?;
        }
        if let Some(file) = &self.file {
            let sep = if self.setting.is_some() { " in " } else { "" };
            write!(f, "{sep}{file}")?;
        }
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        if self.setting.is_some() || self.file.is_some() {
            f.write_str(": ")?;
        }
        write!(f, "{} ({})", self.sentence, self.hint)
    }
}

/// A setting that takes effect at the next start only. Values are as PostgreSQL keeps them, in the
/// setting's own unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingSetting {
    pub name: String,
    pub before: String,
    pub after: String,
}

/// A start that was tried without starting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryStart {
    /// Empty if nothing stands against it.
    pub findings: Vec<Finding>,
    pub waiting: Vec<WaitingSetting>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_setting_file_and_line_and_says_what_to_do() {
        let mut finding = Finding {
            file: Some("/a/postgresql.conf".to_owned()),
            line: Some(7),
            setting: Some("work_mem".to_owned()),
            sentence: "invalid value: \"lots\"".to_owned(),
            hint: "put the value right".to_owned(),
        };
        assert_eq!(
            finding.to_string(),
            "setting work_mem in /a/postgresql.conf line 7: invalid value: \"lots\" (put the value right)"
        );
        (finding.setting, finding.file, finding.line) = (None, None, None);
        assert_eq!(
            finding.to_string(),
            "invalid value: \"lots\" (put the value right)"
        );
    }
}
