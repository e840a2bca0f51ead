//! What a promotion takes away, and what it keeps.
//!
//! <https://www.postgresql.org/docs/current/sql-createtable.html> (UNLOGGED),
//! <https://www.postgresql.org/docs/current/logicaldecoding-explanation.html> (slots)

use super::{Word, blocked, pass, warning};
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

pub(super) fn logical_slots(facts: &Facts) -> Word {
    let described = |slot: &Slot| {
        let plugin = slot.plugin.as_ref()?;
        let failover = if slot.failover {
            ", marked for failover, but a replacement does not synchronise slots"
        } else {
            ""
        };
        Some(format!("{} ({plugin}{failover})", slot.name))
    };
    let slots: Vec<String> = facts.slots.iter().filter_map(described).collect();
    if slots.is_empty() {
        return pass("no logical replication slots");
    }
    blocked(
        format!(
            "logical replication slots would be lost: {}",
            slots.join(", ")
        ),
        "drop them with pg_drop_replication_slot, or make their subscribers anew afterwards and --waive logical_slots --because REASON",
    )
}
