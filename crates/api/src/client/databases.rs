//! Calls about databases: as add-ons, and as what runs.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{Client, Error};
use crate::body::{
    Addon, Attachment, CreateAddon, CreateAttachment, Database, ResolveAddon, WaitStatus, Wish,
};
use crate::paths;

/// Whether a database can be shown already.
#[derive(Clone, Debug, PartialEq)]
pub enum Provisioned {
    NotYet,
    Yes(Box<Database>),
}

impl Client {
    /// Of one app, what it has of others included; or all of them.
    pub async fn addons(&self, app: Option<&str>) -> Result<Vec<Addon>, Error> {
        self.get(app.map_or_else(
            || paths::ADDONS.to_owned(),
            |app| paths::fill(paths::APP_ADDONS, &[app]),
        ))
        .await
    }

    pub async fn addon(&self, id: Uuid) -> Result<Addon, Error> {
        self.get(paths::fill(paths::ADDON, &[&id.to_string()]))
            .await
    }

    pub async fn create_addon(&self, app: &str, wish: Wish) -> Result<Addon, Error> {
        let path = paths::fill(paths::APP_ADDONS, &[app]);
        self.send(Method::POST, path, &CreateAddon::from(wish))
            .await
    }

    pub async fn destroy_addon(&self, addon: &Addon) -> Result<Addon, Error> {
        let ids = [addon.app.id.to_string(), addon.id.to_string()];
        let path = paths::fill(paths::APP_ADDON, &[&ids[0], &ids[1]]);
        self.send(Method::DELETE, path, &json!({"force": false}))
            .await
    }

    /// What the app has under `wish.name` may give way if `wish.confirm` is the app's name.
    pub async fn attach(&self, wish: &CreateAttachment) -> Result<Attachment, Error> {
        self.send(Method::POST, paths::ATTACHMENTS.to_owned(), wish)
            .await
    }

    /// `attachment` is a name or an id.
    pub async fn attachment(&self, app: &str, attachment: &str) -> Result<Attachment, Error> {
        self.get(paths::fill(paths::APP_ATTACHMENT, &[app, attachment]))
            .await
    }

    /// Of all apps.
    pub async fn attachments(&self) -> Result<Vec<Attachment>, Error> {
        self.get(paths::ATTACHMENTS.to_owned()).await
    }

    pub async fn detach(&self, id: Uuid) -> Result<Attachment, Error> {
        let path = paths::fill(paths::ATTACHMENT, &[&id.to_string()]);
        self.send(Method::DELETE, path, &json!({})).await
    }

    /// Every database that `text` can mean.
    pub async fn resolve(&self, text: &str, app: Option<&str>) -> Result<Vec<Addon>, Error> {
        let wish = ResolveAddon {
            addon: text.to_owned(),
            app: app.map(str::to_owned),
        };
        self.send(Method::POST, paths::RESOLVE_ADDON.to_owned(), &wish)
            .await
    }

    pub async fn database(&self, id: Uuid) -> Result<Provisioned, Error> {
        match self
            .get(paths::fill(paths::DATABASE, &[&id.to_string()]))
            .await
        {
            Ok(database) => Ok(Provisioned::Yes(Box::new(database))),
            Err(Error::NotYet) => Ok(Provisioned::NotYet),
            Err(error) => Err(error),
        }
    }

    /// It begins; [`Client::database`] tells when it is nobody's follower any more.
    pub async fn unfollow(&self, id: Uuid) -> Result<(), Error> {
        let path = paths::fill(paths::UNFOLLOW, &[&id.to_string()]);
        let _: serde_json::Value = self.send(Method::PUT, path, &json!({})).await?;
        Ok(())
    }

    pub async fn wait_status(&self, id: Uuid) -> Result<WaitStatus, Error> {
        self.get(paths::fill(paths::WAIT_STATUS, &[&id.to_string()]))
            .await
    }
}
