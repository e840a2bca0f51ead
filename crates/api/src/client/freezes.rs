//! Calls about times in which nothing is maintained.

use reqwest::Method;

use super::{Client, Error};
use crate::body::{AddFreeze, Freeze, ImportFreezes, ImportedFreezes};
use crate::paths;

impl Client {
    pub async fn freezes(&self) -> Result<Vec<Freeze>, Error> {
        self.get(paths::FREEZES.to_owned()).await
    }

    pub async fn add_freeze(&self, wish: &AddFreeze) -> Result<Freeze, Error> {
        self.send(Method::POST, paths::FREEZES.to_owned(), wish)
            .await
    }

    /// All of them or none.
    pub async fn import_freezes(&self, wish: &ImportFreezes) -> Result<ImportedFreezes, Error> {
        let path = paths::FREEZES_IMPORT.to_owned();
        self.send(Method::POST, path, wish).await
    }

    /// Tells what it was.
    pub async fn remove_freeze(&self, id: i64) -> Result<Freeze, Error> {
        let path = paths::fill(paths::FREEZE, &[&id.to_string()]);
        self.send(Method::DELETE, path, &()).await
    }
}
