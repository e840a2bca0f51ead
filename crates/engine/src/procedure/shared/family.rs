//! Who hangs on whom, read from our own state whenever a step needs it.

use upkeep_domain::id::DatabaseId;
use upkeep_store::{Database, Instance};

use crate::preflight::Following;
use crate::workflow::{Failure, Visit};

/// A follower and the instance that its readers are on.
pub(super) struct Follower {
    pub(super) database: Database,
    pub(super) instance: Instance,
}

/// The followers of the database that is worked on.
pub(super) async fn followers(visit: &Visit<'_>) -> Vec<Follower> {
    let leader = visit.claim.database;
    let mut followers = Vec::new();
    for database in visit.read_store(|| visit.store.followers(leader)).await {
        let Some(id) = database.primary_instance else {
            continue;
        };
        if let Some(instance) = visit.read_store(|| visit.store.instance(id)).await {
            followers.push(Follower { database, instance });
        }
    }
    followers
}

/// As a preflight looks at them.
pub(super) async fn following(visit: &Visit<'_>) -> Vec<Following> {
    let followers = followers(visit).await.into_iter();
    let following = followers.map(|follower| Following {
        name: follower.database.name,
        instance: follower.instance.id,
    });
    following.collect()
}

/// The instance that a database's clients are on.
pub(crate) async fn serving(visit: &Visit<'_>, database: DatabaseId) -> Result<Instance, Failure> {
    let read = visit.read_store(|| visit.store.database(database));
    let id = read.await.and_then(|database| database.primary_instance);
    let gone = || Failure::Final("the database that it belongs to is gone".to_owned());
    let id = id.ok_or_else(gone)?;
    let instance = visit.read_store(|| visit.store.instance(id));
    instance.await.ok_or_else(gone)
}
