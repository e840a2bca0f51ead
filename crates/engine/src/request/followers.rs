//! Followers: asked for, let go, and taken into account.

use upkeep_domain::id::InstanceId;
use upkeep_domain::plan::Plan;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::Catalogue;
use upkeep_store::{Database, NewDatabase};

use super::store_refusal;
use crate::Engine;
use crate::procedure::{Follow, Unfollow};

const FOLLOWERS_MAX: usize = 5;

impl Engine {
    /// The work that makes `database` a follower. On its leader's release, unless another one of the same
    /// major is named.
    pub(super) async fn follow(
        &self,
        leader: &Database,
        database: &NewDatabase,
        plan: &Plan,
        catalogue: &Catalogue,
        named: Option<&str>,
    ) -> Result<Follow, Refusal> {
        let leaders_plan = self.world.plans.find(&leader.plan)?;
        refuse_plans(leader, leaders_plan, plan)?;
        self.refuse_chain(leader).await?;
        self.refuse_too_many(leader).await?;
        let primary = self.primary(leader).await?;
        let wanted = named.unwrap_or(&primary.release);
        let find = |text: &str| {
            let found = catalogue.find(text);
            found.map_err(|error| Refusal::not_found(error.to_string()))
        };
        let release = find(wanted)?;
        let leaders = find(&primary.release)?;
        if release.version.major != leaders.version.major || release.version < leaders.version {
            return Err(Refusal::invalid(format!(
                "a follower of `{}`, which is on {}, cannot be on {}",
                leader.name, leaders.version, release.version
            ))
            .with_hint(
                "leave --release out, or name a release of the same major that is not older",
            ));
        }
        Ok(Follow {
            leader: leader.id,
            source: None,
            host: primary.host_id,
            instance: InstanceId(self.world.random.uuid()),
            release: release.name.clone(),
            settings: plan.settings_beside(leaders_plan),
            dbname: database.dbname.clone(),
            server_dbname: database.server_dbname.clone(),
        })
    }

    /// Each takes a slot and a sender of its leader's ten, and so do its standby, a replacement, and the
    /// two streams of a copy.
    async fn refuse_too_many(&self, leader: &Database) -> Result<(), Refusal> {
        let all = self.store.databases().await;
        let all = all.map_err(|error| store_refusal(&error))?;
        let followers = all.iter().filter(|other| other.follows == Some(leader.id));
        if followers.count() < FOLLOWERS_MAX {
            return Ok(());
        }
        Err(Refusal::invalid(format!(
            "`{}` has {FOLLOWERS_MAX} followers, the most there can be",
            leader.name
        )))
    }

    async fn refuse_chain(&self, leader: &Database) -> Result<(), Refusal> {
        let Some(first) = leader.follows else {
            return Ok(());
        };
        let first = self.store.database(first).await;
        let first = first.map_err(|error| store_refusal(&error))?;
        let hint = first.map_or_else(
            || "unfollow it first".to_owned(),
            |first| format!("follow its leader instead: {}", first.name),
        );
        Err(Refusal::invalid(format!(
            "`{}` is a follower itself, and followers are not chained",
            leader.name
        ))
        .with_hint(hint))
    }

    /// The leader of a follower.
    pub async fn leader(&self, database: &Database) -> Result<Database, Refusal> {
        let not_following = || {
            // Heroku's words.
            Refusal::invalid(format!("{} is not a follower", database.name))
        };
        let leader = database.follows.ok_or_else(not_following)?;
        let leader = self.store.database(leader).await;
        let leader = leader.map_err(|error| store_refusal(&error))?;
        leader.ok_or_else(|| Refusal::not_found("its leader is gone"))
    }

    /// Nothing for a database that follows nobody.
    pub(super) async fn leader_if_any(
        &self,
        database: &Database,
    ) -> Result<Option<Database>, Refusal> {
        match database.follows {
            Some(_) => self.leader(database).await.map(Some),
            None => Ok(None),
        }
    }

    /// `pg:unfollow`: it becomes a database of its own, and takes writes.
    pub async fn unfollow(&self, database: &Database) -> Result<(), Refusal> {
        let leader = self.leader(database).await?;
        let own = self.primary(database).await?;
        self.need_idle(database).await?;
        let unfollow = Unfollow {
            leader: leader.id,
            host: own.host_id,
            dbname: database.dbname.clone(),
            server_dbname: database.server_dbname.clone(),
            seen: None,
        };
        self.begin(database, &unfollow).await
    }

    /// Whoever has followers is not destroyed.
    pub(super) async fn name_followers(&self, leader: &Database) -> Result<(), Refusal> {
        let followers = self.store.followers(leader.id).await;
        let followers = followers.map_err(|error| store_refusal(&error))?;
        let names: Vec<_> = followers
            .into_iter()
            .map(|follower| follower.name)
            .collect();
        Err(Refusal::new(
            RefusalKind::Conflict,
            format!("`{}` has followers: {}", leader.name, names.join(", ")),
        )
        .with_hint(format!(
            "destroy each or let it go first: upkeep pg:unfollow {}",
            names.first().map_or("FOLLOWER", String::as_str)
        )))
    }
}

fn refuse_plans(leader: &Database, leaders: &Plan, own: &Plan) -> Result<(), Refusal> {
    if !leaders.followers {
        return Err(Refusal::invalid(format!(
            "`{}` is on the plan `{}`, which has no followers",
            leader.name, leaders.name
        ))
        .with_hint("the table of plans says which have: upkeep plans"));
    }
    if !own.followers {
        return Err(Refusal::invalid(format!(
            "a database on the plan `{}` cannot follow another",
            own.name
        ))
        .with_hint("the table of plans says which can: upkeep plans"));
    }
    Ok(())
}
