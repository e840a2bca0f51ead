//! Calls about apps and their config vars.

use reqwest::Method;

use super::{Client, Error};
use crate::body::{Account, App, ConfigVars, CreateApp};
use crate::paths;

impl Client {
    pub async fn account(&self) -> Result<Account, Error> {
        self.get(paths::ACCOUNT.to_owned()).await
    }

    pub async fn apps(&self) -> Result<Vec<App>, Error> {
        self.get(paths::APPS.to_owned()).await
    }

    /// `app` is a name or an id, here and everywhere.
    pub async fn app(&self, app: &str) -> Result<App, Error> {
        self.get(paths::fill(paths::APP, &[app])).await
    }

    pub async fn create_app(&self, name: Option<String>) -> Result<App, Error> {
        self.send(Method::POST, paths::APPS.to_owned(), &CreateApp { name })
            .await
    }

    pub async fn config_vars(&self, app: &str) -> Result<ConfigVars, Error> {
        self.get(paths::fill(paths::CONFIG_VARS, &[app])).await
    }
}
