//! The names under which apps have databases in the small world.

use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::id::AttachmentId;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::{AppRef, Attach, AttachedView, AttachmentView, Backend, DatabaseView};
use uuid::Uuid;

use super::{World, unknown};

pub(super) fn attachment(app: &AppRef, name: AttachmentName) -> AttachmentView {
    AttachmentView {
        id: AttachmentId(Uuid::new_v4()),
        app: app.clone(),
        name,
    }
}

impl World {
    pub(super) async fn attach_it(&self, wish: Attach) -> Result<AttachedView, Refusal> {
        let made = self.state().attached_by.get(&wish.request_id).copied();
        if let Some(made) = made {
            return self.attached(made);
        }
        let app = self.app(&wish.app.to_string()).await?;
        let there = self.attachments(Some(app.id)).await?;
        let name = wish.name.unwrap_or_else(|| {
            let colour = format!("HEROKU_POSTGRESQL_FREE{}", there.len());
            colour.parse().unwrap()
        });
        let held = there.into_iter().find(|one| one.attachment.name == name);
        if let Some(held) = &held {
            if wish.confirm.as_deref() != Some(app.name.as_str()) {
                return Err(Refusal::unconfirmed(format!("{name} is taken")));
            }
            self.detach_it(held.attachment.id)?;
        }
        let app = AppRef {
            id: app.id,
            name: app.name,
        };
        let made = attachment(&app, name);
        let mut state = self.state();
        state.attached_by.insert(wish.request_id, made.id);
        let mut databases = state.databases.iter_mut();
        let database = databases.find(|d| d.id == wish.database).unwrap();
        let told = format!("Attach {} (@ref:{})", made.name, database.name);
        database.attachments.push(made.clone());
        state.told.push((app.id, told));
        drop(state);
        self.attached(made.id)
    }

    pub(super) fn detach_it(&self, id: AttachmentId) -> Result<AttachedView, Refusal> {
        let gone = self.attached(id)?;
        if gone.database.attachments.len() == 1 {
            return Err(Refusal::conflict("it is the last one"));
        }
        let mut state = self.state();
        for database in &mut state.databases {
            database.attachments.retain(|one| one.id != id);
        }
        let told = format!(
            "Detach {} (@ref:{})",
            gone.attachment.name, gone.database.name
        );
        state.told.push((gone.attachment.app.id, told));
        Ok(gone)
    }

    fn attached(&self, id: AttachmentId) -> Result<AttachedView, Refusal> {
        let of = |database: &DatabaseView| {
            let mut all = database.attachments.iter();
            let attachment = all.find(|one| one.id == id)?.clone();
            Some(AttachedView {
                attachment,
                database: database.clone(),
            })
        };
        let state = self.state();
        state
            .databases
            .iter()
            .find_map(of)
            .ok_or_else(|| unknown("attachment"))
    }
}
