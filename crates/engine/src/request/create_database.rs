//! `addons:create`: a new database for an app.

use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::id::{AttachmentId, DatabaseId, InstanceId};
use upkeep_domain::name::DatabaseName;
use upkeep_domain::plan::Plan;
use upkeep_domain::refusal::Refusal;
use upkeep_domain::release::{Catalogue, Release};
use upkeep_store::{App, Database, Error as StoreError, NewAttachment, NewDatabase};

use super::naming::{database_name, first_attachment, identifier};
use super::store_refusal;
use crate::Engine;
use crate::procedure::Provision;

#[derive(Clone, Debug)]
pub struct CreateDatabase {
    pub app: App,
    /// `heroku-postgresql:standard-0` or `standard-0`.
    pub plan: String,
    pub name: Option<DatabaseName>,
    /// Name of its attachment; a colour when not given.
    pub attach_as: Option<AttachmentName>,
    /// A release or version in the store; the newest when not given.
    pub release: Option<String>,
    /// The database that it is to follow.
    pub follow: Option<Database>,
    /// A repeated request is answered with what the first one made.
    pub request_id: Option<String>,
}

impl Engine {
    pub async fn create_database(&self, request: CreateDatabase) -> Result<Database, Refusal> {
        if let Some(made) = self.made_by(request.request_id.as_deref()).await? {
            return Ok(made);
        }
        let plan = self.world.plans.find(&request.plan)?;
        let catalogue = self.catalogue().await?;
        let database = self.new_database(&request, plan).await?;
        let named = request.release.as_deref();
        let workflow = match &request.follow {
            Some(leader) => {
                let follow = self.follow(leader, &database, plan, &catalogue, named);
                self.workflow_of(database.id, &follow.await?)
            }
            None => {
                let release = choose(&catalogue, named)?;
                self.workflow_of(database.id, &self.provision(&database, plan, release))
            }
        };
        match self.store.begin_provision(&workflow, &database).await {
            Ok(()) => self.wake(),
            // The same request may have come twice at once: both are answered alike.
            Err(StoreError::Exists { constraint }) => {
                let made = self.made_by(request.request_id.as_deref()).await?;
                return made.ok_or_else(|| taken(&constraint, &database));
            }
            Err(StoreError::LeaderGone) => {
                return Err(Refusal::not_found(
                    "the database that was to be followed is being destroyed",
                ));
            }
            Err(error) => return Err(store_refusal(&error)),
        }
        let made = self
            .store
            .database(database.id)
            .await
            .map_err(|error| store_refusal(&error))?;
        made.ok_or_else(|| Refusal::not_found("the database was destroyed at once"))
    }

    fn provision(&self, database: &NewDatabase, plan: &Plan, release: &Release) -> Provision {
        Provision {
            database: database.id,
            host: self.world.host,
            instance: InstanceId(self.world.random.uuid()),
            release: release.name.clone(),
            settings: plan.settings(),
            dbname: database.dbname.clone(),
            role: database.credential.role.clone(),
            verifier: database.credential.verifier.clone(),
        }
    }

    async fn made_by(&self, request_id: Option<&str>) -> Result<Option<Database>, Refusal> {
        match request_id {
            Some(id) => self
                .store
                .database_by_request(id)
                .await
                .map_err(|error| store_refusal(&error)),
            None => Ok(None),
        }
    }

    async fn new_database(
        &self,
        request: &CreateDatabase,
        plan: &Plan,
    ) -> Result<NewDatabase, Refusal> {
        let random = self.world.random.as_ref();
        let id = DatabaseId(random.uuid());
        let attachment = NewAttachment {
            id: AttachmentId(random.uuid()),
            app_id: request.app.id,
            database_id: id,
            name: self.name_of_new(request).await?,
            request_id: None,
        };
        let leader = request.follow.as_ref();
        let dbname = identifier(random, 'd');
        Ok(NewDatabase {
            id,
            app_id: request.app.id,
            name: request
                .name
                .clone()
                .unwrap_or_else(|| database_name(random)),
            plan: plan.name.clone(),
            attachment,
            server_dbname: leader
                .map_or(&dbname, |leader| &leader.server_dbname)
                .clone(),
            dbname,
            // A copy has its leader's roles.
            credential: match leader {
                Some(leader) => leader.credential.clone(),
                None => self.world.credentials.create(&identifier(random, 'u')),
            },
            follows: leader.map(|leader| leader.id),
            request_id: request.request_id.clone(),
        })
    }

    async fn name_of_new(&self, request: &CreateDatabase) -> Result<AttachmentName, Refusal> {
        let app = &request.app;
        let there = self.attached_to(app).await?;
        let taken: Vec<_> = there.into_iter().map(|(_, one)| one.name).collect();
        if let Some(wanted) = &request.attach_as {
            if taken.contains(wanted) {
                let sentence = format!("`{}` has an attachment `{wanted}` already", app.name);
                return Err(Refusal::conflict(sentence).with_hint("choose another name with --as"));
            }
            return Ok(wanted.clone());
        }
        first_attachment(&taken).ok_or_else(|| {
            Refusal::invalid(format!(
                "`{}` has an attachment of every colour, the most there can be",
                app.name
            ))
        })
    }
}

/// The one that was named, or the newest.
fn choose<'a>(catalogue: &'a Catalogue, named: Option<&str>) -> Result<&'a Release, Refusal> {
    match named {
        Some(text) => catalogue
            .find(text)
            .map_err(|error| Refusal::not_found(error.to_string())),
        None => catalogue
            .iter()
            .max_by_key(|release| release.version)
            .ok_or_else(|| {
                Refusal::invalid("there is no PostgreSQL release in the store")
                    .with_hint("add one: upkeep releases:add --system /usr/lib/postgresql/15")
            }),
    }
}

fn taken(constraint: &str, database: &NewDatabase) -> Refusal {
    if constraint.contains("attachment") {
        return Refusal::busy("another database of this app was created at the same moment")
            .with_hint("try again");
    }
    Refusal::conflict(format!("there is a database `{}` already", database.name))
        .with_hint("choose another --name")
}
