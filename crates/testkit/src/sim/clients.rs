//! Clients: one for each database, which commits whenever the gate lets it, and remembers what was
//! acknowledged.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Clients {
    next: u64,
    acknowledged: BTreeMap<String, BTreeSet<u64>>,
    /// Fences before which somebody commits past the endpoint.
    pub(super) bypassing: u32,
}

impl Clients {
    /// The next commit of this database's client, and whether the server flushes it at once:
    /// every other one is made with `synchronous_commit = off`.
    pub(super) fn next(&mut self, dbname: &str) -> (u64, bool) {
        self.next += 1;
        let all = self.acknowledged.entry(dbname.to_owned()).or_default();
        all.insert(self.next);
        (self.next, self.next.is_multiple_of(2))
    }

    pub(super) fn of(&self, dbname: &str) -> impl Iterator<Item = u64> {
        self.acknowledged.get(dbname).into_iter().flatten().copied()
    }

    pub(super) fn forget(&mut self, dbname: &str) {
        self.acknowledged.remove(dbname);
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.values().map(BTreeSet::len).sum()
    }
}
