//! Who follows whom.

use upkeep_domain::id::DatabaseId;
use upkeep_server::backend::{DatabaseView, Following};

use super::World;

pub(super) fn url_of(database: &DatabaseView) -> String {
    format!("postgres://u:p@127.0.0.1:5432/{}", database.name)
}

impl World {
    pub(super) fn following(&self, id: DatabaseId) -> Option<Following> {
        let state = self.state();
        let leader = state.following.get(&id)?;
        let leader = state.databases.iter().find(|d| d.id == *leader)?;
        Some(Following {
            name: leader.name.clone(),
            url: url_of(leader),
            behind_by: Some(1),
        })
    }

    pub(super) fn followers(&self, id: DatabaseId) -> Vec<String> {
        let state = self.state();
        let follows = |d: &&DatabaseView| state.following.get(&d.id) == Some(&id);
        state.databases.iter().filter(follows).map(url_of).collect()
    }
}
