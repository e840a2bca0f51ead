//! `addons:attach`, `addons:detach`, and with them `pg:promote`: under which names apps have databases.

use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::id::AttachmentId;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_store::{
    App, Attachment, Database, DatabaseState, Error as StoreError, Instead, NewAttachment,
};

use super::naming::free_color;
use super::store_refusal;
use crate::Engine;

#[derive(Clone, Debug)]
pub struct Attach {
    /// Not always the one that owns the database.
    pub app: App,
    pub database: Database,
    /// A colour that is free when not given.
    pub name: Option<AttachmentName>,
    /// The app's name, if it may lose what has the name now.
    pub confirm: Option<String>,
    /// A repeated request is answered with what the first one made.
    pub request_id: Option<String>,
}

impl Engine {
    /// What has the name already gives way if that is confirmed. It keeps another name, if need be a
    /// new one, so that no database becomes one that nobody can reach.
    pub async fn attach(&self, request: Attach) -> Result<AttachmentId, Refusal> {
        if let Some(made) = self.attached_by(request.request_id.as_deref()).await? {
            return Ok(made);
        }
        need_to_be_there(&request.database)?;
        let there = self.attached_to(&request.app).await?;
        let taken: Vec<_> = there.iter().map(|(_, one)| one.name.clone()).collect();
        let name = match &request.name {
            Some(name) => name.clone(),
            None => free_name(&request.app, &taken)?,
        };
        let instead = match there.iter().find(|(_, one)| one.name == name) {
            None => None,
            Some((holder, one)) if holder.id == request.database.id => return Ok(one.id),
            Some((holder, one)) => {
                need_confirmation(&request, holder, one)?;
                Some(self.gives_way(&request.app, holder, one, &taken)?)
            }
        };
        let new = NewAttachment {
            id: AttachmentId(self.world.random.uuid()),
            app_id: request.app.id,
            database_id: request.database.id,
            name,
            request_id: request.request_id.clone(),
        };
        match self.store.attach(&new, instead.as_ref()).await {
            Ok(true) => Ok(new.id),
            Ok(false) => Err(overtaken(&request.app.name)),
            // The same request may have come twice at once: both are answered alike.
            Err(StoreError::Exists { .. }) => {
                let made = self.attached_by(request.request_id.as_deref()).await?;
                made.ok_or_else(|| overtaken(&request.app.name))
            }
            Err(error) => Err(store_refusal(&error)),
        }
    }

    /// The app does without this name of a database.
    pub async fn detach(
        &self,
        database: &Database,
        attachment: &Attachment,
    ) -> Result<(), Refusal> {
        if is_last_of_owner(database, attachment) {
            return Err(Refusal::conflict(format!(
                "`{}` is the last attachment of `{}` in the app that owns it",
                attachment.name, database.name
            ))
            .with_hint(format!(
                "attach it under another name first, or destroy it: upkeep addons:destroy {}",
                database.name
            )));
        }
        match self.store.detach(attachment.id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(overtaken(&attachment.app_name)),
            Err(error) => Err(store_refusal(&error)),
        }
    }

    async fn attached_by(&self, request_id: Option<&str>) -> Result<Option<AttachmentId>, Refusal> {
        match request_id {
            Some(id) => self
                .store
                .attachment_by_request(id)
                .await
                .map_err(|error| store_refusal(&error)),
            None => Ok(None),
        }
    }

    /// What the app has, name by name.
    pub(super) async fn attached_to(
        &self,
        app: &App,
    ) -> Result<Vec<(Database, Attachment)>, Refusal> {
        let databases = self.store.attached_databases(app.id).await;
        let databases = databases.map_err(|error| store_refusal(&error))?;
        let names = databases.into_iter().flat_map(|database| {
            let mut names = database.attachments.clone();
            names.retain(|one| one.app_id == app.id);
            names.into_iter().map(move |one| (database.clone(), one))
        });
        Ok(names.collect())
    }

    fn gives_way(
        &self,
        app: &App,
        holder: &Database,
        attachment: &Attachment,
        taken: &[AttachmentName],
    ) -> Result<Instead, Refusal> {
        let alias = if is_last_of_owner(holder, attachment) {
            Some(NewAttachment {
                id: AttachmentId(self.world.random.uuid()),
                app_id: app.id,
                database_id: holder.id,
                name: free_name(app, taken)?,
                request_id: None,
            })
        } else {
            None
        };
        Ok(Instead {
            attachment: attachment.id,
            alias,
        })
    }
}

fn free_name(app: &App, taken: &[AttachmentName]) -> Result<AttachmentName, Refusal> {
    free_color(taken).ok_or_else(|| {
        Refusal::invalid(format!("`{}` has an attachment of every colour", app.name))
            .with_hint("give it a name with --as")
    })
}

/// Otherwise the app would be without the config var.
fn need_to_be_there(database: &Database) -> Result<(), Refusal> {
    let gone = |what| Refusal::conflict(format!("`{}` {what}", database.name));
    match database.state {
        DatabaseState::Provisioned => Ok(()),
        DatabaseState::Provisioning => Err(Refusal::new(
            RefusalKind::NotReady,
            format!("`{}` is not provisioned yet", database.name),
        )
        .with_hint(format!("wait for it: upkeep addons:wait {}", database.name))),
        DatabaseState::Deprovisioning => Err(gone("is being destroyed")),
        DatabaseState::Failed => Err(gone("could not be provisioned")),
    }
}

fn need_confirmation(
    request: &Attach,
    holder: &Database,
    attachment: &Attachment,
) -> Result<(), Refusal> {
    let app = &request.app.name;
    match &request.confirm {
        Some(confirmed) if confirmed == app => Ok(()),
        _ => Err(Refusal::unconfirmed(format!(
            "`{}` is attached to `{app}` as {} already: it would give way to `{}`",
            holder.name, attachment.name, request.database.name
        ))
        .with_hint(format!("to proceed, confirm it with the app's name: {app}"))),
    }
}

fn is_last_of_owner(database: &Database, attachment: &Attachment) -> bool {
    let mut of_owner = database
        .attachments
        .iter()
        .filter(|one| one.app_id == database.app_id);
    attachment.app_id == database.app_id && of_owner.all(|one| one.id == attachment.id)
}

fn overtaken(app: &str) -> Refusal {
    Refusal::busy(format!(
        "the attachments of `{app}` were changed at the same moment"
    ))
    .with_hint("look at them and try again")
}
