//! What a promotion takes away, and what it keeps.
//!
//! <https://www.postgresql.org/docs/current/sql-createtable.html> (UNLOGGED),
//! <https://www.postgresql.org/docs/current/logicaldecoding-explanation.html> (slots)

use super::{Situation, Word, blocked, pass, warning};
use crate::preflight::{Facts, Slot};

/// A prepared transaction that is older was probably forgotten.
const PREPARED_AGE_S_MAX: u64 = 600;

/// They survive, with their locks; so an old one stays in everybody's way.
pub(super) fn prepared_transactions(facts: &Facts) -> Word {
    let all = &facts.prepared_transactions;
    let Some(oldest) = all.iter().max_by_key(|prepared| prepared.age_s) else {
        return pass("no prepared transactions");
    };
    let seen = format!(
        "{} prepared, the oldest (`{}`) {} s ago; they survive with their locks",
        all.len(),
        oldest.gid,
        oldest.age_s
    );
    if oldest.age_s < PREPARED_AGE_S_MAX {
        return pass(seen);
    }
    warning(
        seen,
        "COMMIT PREPARED or ROLLBACK PREPARED what was forgotten",
    )
}

pub(super) fn unlogged_tables(facts: &Facts) -> Word {
    let tables = &facts.unlogged_tables;
    if tables.is_empty() {
        return pass("no unlogged table holds anything");
    }
    blocked(
        format!("unlogged tables would be emptied: {tables}"),
        "make them permanent with ALTER TABLE ... SET LOGGED, or empty them, or --waive unlogged_tables --because REASON",
    )
}

/// Those that are marked for failover go along, once the next primary has them.
pub(super) fn logical_slots(situation: &Situation<'_>, facts: &Facts) -> Word {
    let logical: Vec<&Slot> = facts
        .slots
        .iter()
        .filter(|slot| slot.plugin.is_some())
        .collect();
    if logical.is_empty() {
        return pass("no logical replication slots");
    }
    let goes_along = |slot: &&Slot| {
        let there = situation.carried_slots;
        slot.failover && there.is_none_or(|there| there.contains(&slot.name))
    };
    let (along, lost): (Vec<&Slot>, Vec<&Slot>) = logical.into_iter().partition(goes_along);
    if lost.is_empty() {
        return pass(format!(
            "logical replication slots go along: {}",
            names(&along)
        ));
    }
    let is_late = |slot: &Slot| {
        if slot.failover {
            ", not synchronised yet"
        } else {
            ""
        }
    };
    let described = |slot: &Slot| {
        let plugin = slot.plugin.as_deref().unwrap_or_default();
        format!("{} ({plugin}{})", slot.name, is_late(slot))
    };
    let described: Vec<_> = lost.into_iter().map(described).collect();
    blocked(
        format!(
            "logical replication slots would be lost: {}",
            described.join(", ")
        ),
        "from PostgreSQL 17 on make them with failover = true and keep their consumers running; otherwise drop them with pg_drop_replication_slot, or make their subscribers anew afterwards and --waive logical_slots --because REASON",
    )
}

fn names(slots: &[&Slot]) -> String {
    let names: Vec<_> = slots.iter().map(|slot| slot.name.as_str()).collect();
    names.join(", ")
}
