//! What PostgreSQL checks only when it really starts, as far as it follows from its settings.
//!
//! <https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/postmaster/postmaster.c>

use upkeep_domain::dry_start::{Finding, WaitingSetting};

use super::lines::Lines;

/// What settings will be after a start.
pub(super) struct Wanted<'a> {
    lines: &'a Lines,
    waiting: &'a [WaitingSetting],
}

impl<'a> Wanted<'a> {
    pub(super) fn new(lines: &'a Lines, waiting: &'a [WaitingSetting]) -> Self {
        Self { lines, waiting }
    }

    /// In the setting's own unit. One that the files set for a reload counts as they say.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        let waits = self.waiting.iter().find(|waiting| waiting.name == name);
        let reload = self
            .lines
            .last(name)
            .filter(|line| line.error.is_none() && line.context.as_deref() != Some("postmaster"));
        waits
            .map(|waiting| waiting.after.as_str())
            .or_else(|| reload?.value.as_deref())
            .or_else(|| self.lines.present(name))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }

    pub(super) fn waits(&self, name: &str) -> bool {
        self.waiting.iter().any(|waiting| waiting.name == name)
    }

    /// About the line that sets it, if one does.
    pub(super) fn finding(&self, name: &str, sentence: String, hint: &str) -> Finding {
        match self.lines.last(name) {
            Some(line) => line.finding(sentence, hint),
            None => Finding {
                setting: Some(name.to_owned()),
                sentence,
                hint: hint.to_owned(),
                ..Finding::default()
            },
        }
    }
}

/// Memory of the host, in kB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) total: u64,
    pub(super) in_huge_pages: u64,
}

pub(super) fn broken(wanted: &Wanted<'_>, memory: Option<Memory>) -> Vec<Finding> {
    let rules = [reserved(wanted), wal_senders(wanted), archive(wanted)];
    let mut broken: Vec<_> = rules.into_iter().flatten().collect();
    broken.extend(memory.and_then(|memory| too_large(wanted, memory)));
    broken
}

fn reserved(wanted: &Wanted<'_>) -> Option<Finding> {
    let max = wanted.number("max_connections")?;
    let of_roles = wanted.number("reserved_connections").unwrap_or(0);
    let reserved = wanted.number("superuser_reserved_connections")? + of_roles;
    (reserved >= max).then(|| {
        let sentence = format!("{max} are not more than the {reserved} that are reserved");
        wanted.finding("max_connections", sentence, "raise it")
    })
}

fn wal_senders(wanted: &Wanted<'_>) -> Option<Finding> {
    let minimal = wanted.value("wal_level")? == "minimal";
    let senders = wanted.number("max_wal_senders")?;
    (minimal && senders > 0).then(|| {
        let sentence = format!("with max_wal_senders = {senders} it cannot be `minimal`");
        wanted.finding("wal_level", sentence, "set it to replica or logical")
    })
}

fn archive(wanted: &Wanted<'_>) -> Option<Finding> {
    let minimal = wanted.value("wal_level")? == "minimal";
    let mode = wanted.value("archive_mode")?;
    (minimal && mode != "off").then(|| {
        let sentence = format!("with wal_level = minimal it cannot be `{mode}`");
        wanted.finding("archive_mode", sentence, "turn one of them")
    })
}

/// Its own buffers alone; what else it needs comes on top.
fn too_large(wanted: &Wanted<'_>, memory: Memory) -> Option<Finding> {
    if !wanted.waits("shared_buffers") && !wanted.waits("huge_pages") {
        return None;
    }
    let block_kb = wanted.number("block_size")? / 1024;
    let needed = wanted.number("shared_buffers")? * block_kb;
    let (has, of_what) = match wanted.value("huge_pages") {
        Some("on") => (memory.in_huge_pages, "in huge pages"),
        _ => (memory.total, "of memory"),
    };
    (needed > has).then(|| {
        let (needed, has) = (needed >> 10, has >> 10);
        let sentence = format!("it asks for {needed} MB, and the host has {has} MB {of_what}");
        wanted.finding("shared_buffers", sentence, "ask for less")
    })
}
