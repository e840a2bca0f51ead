//! Other standbys, and the archive.

use super::{Situation, Word, pass, warning};
use crate::preflight::{Facts, Slot};

/// Made by somebody else, so somebody else's standby depends on them.
pub(super) fn physical_slots(situation: &Situation<'_>, facts: &Facts) -> Word {
    let own = |slot: &&Slot| {
        situation.own_slot == Some(slot.name.as_str()) || is_of_a_standby(&slot.name)
    };
    let physical = facts.slots.iter().filter(|slot| slot.plugin.is_none());
    let others: Vec<&Slot> = physical.filter(|slot| !own(slot)).collect();
    if others.is_empty() {
        return pass("no physical replication slots of others");
    }
    let described: Vec<String> = others.into_iter().map(describe).collect();
    let todo = if situation.way.promotes {
        "drop those that nobody uses; make the others anew on the new server and point their standbys there"
    } else {
        "drop those that nobody uses: they keep WAL until the disk is full"
    };
    warning(
        format!("physical replication slots: {}", described.join(", ")),
        todo,
    )
}

/// Upkeep names the slot of a standby after it.
fn is_of_a_standby(slot: &str) -> bool {
    let id = slot.strip_prefix("upkeep_");
    id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
}

fn describe(slot: &Slot) -> String {
    let mut parts = vec![if slot.active { "in use" } else { "not in use" }.to_owned()];
    parts.extend(
        slot.retained_bytes
            .map(|bytes| format!("keeps {} MB of WAL", bytes >> 20)),
    );
    parts.extend(
        slot.wal_status
            .as_deref()
            .filter(|status| *status != "reserved")
            .map(|status| format!("WAL {status}")),
    );
    format!("{} ({})", slot.name, parts.join(", "))
}

/// A replacement starts without them: nobody would confirm its commits.
pub(super) fn synchronous_standby_names(facts: &Facts) -> Word {
    let names = &facts.synchronous_standby_names;
    if names.is_empty() {
        return pass("commits wait for no standby");
    }
    warning(
        format!("synchronous_standby_names is `{names}`; the new primary starts without it"),
        "set it anew with ALTER SYSTEM when its standbys follow the new primary",
    )
}

pub(super) fn synchronized_standby_slots(facts: &Facts) -> Word {
    let wanted = &facts.synchronized_standby_slots;
    let is_used = |name: &&String| {
        let mut slots = facts.slots.iter();
        slots.any(|slot| slot.name == **name && slot.active)
    };
    let unused: Vec<&str> = wanted
        .iter()
        .filter(|name| !is_used(name))
        .map(String::as_str)
        .collect();
    if unused.is_empty() {
        return pass("logical replication waits for no slot that nobody uses");
    }
    warning(
        format!(
            "synchronized_standby_slots names slots that nobody uses: {}",
            unused.join(", ")
        ),
        "take them out: logical replication and a clean stop wait for them for ever",
    )
}

pub(super) fn archiving(facts: &Facts) -> Word {
    let archiving = &facts.archiving;
    if !archiving.on {
        return pass("WAL is not archived");
    }
    if !archiving.configured {
        return warning(
            "archive_mode is on, but neither archive_command nor archive_library says how",
            "set one of them, or switch archive_mode off: WAL piles up",
        );
    }
    if let Some(segment) = &archiving.failing {
        return warning(
            format!(
                "archiving fails: {segment} was not archived, {} failures so far",
                archiving.failed_count
            ),
            "put archive_command right; until then a restore to this moment is not possible",
        );
    }
    pass("WAL is archived without failures")
}
