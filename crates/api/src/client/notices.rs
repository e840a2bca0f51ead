//! Calls about what people are told, and who is told.

use reqwest::Method;

use super::{Client, Error};
use crate::body::{AddRecipient, Notice, NoticeRecipient};
use crate::paths;

/// Which notices are wanted; all that are kept when nothing is said.
#[derive(Clone, Debug, Default)]
pub struct NoticesWanted {
    /// Of the databases of an app, by name or id.
    pub app: Option<String>,
    /// With a delivery in that state.
    pub state: Option<String>,
    pub limit: Option<u32>,
}

impl Client {
    /// The newest first.
    pub async fn notices(&self, wanted: &NoticesWanted) -> Result<Vec<Notice>, Error> {
        let limit = wanted.limit.map(|limit| limit.to_string());
        let query = paths::query([
            ("app", wanted.app.as_deref()),
            ("state", wanted.state.as_deref()),
            ("limit", limit.as_deref()),
        ]);
        self.get(format!("{}{query}", paths::NOTICES)).await
    }

    pub async fn notice(&self, id: i64) -> Result<Notice, Error> {
        self.get(paths::fill(paths::NOTICE, &[&id.to_string()]))
            .await
    }

    pub async fn retry_notice(&self, id: i64) -> Result<Notice, Error> {
        let path = paths::fill(paths::NOTICE_RETRY, &[&id.to_string()]);
        self.send(Method::POST, path, &()).await
    }

    pub async fn recipients(&self) -> Result<Vec<NoticeRecipient>, Error> {
        self.get(paths::RECIPIENTS.to_owned()).await
    }

    pub async fn add_recipient(&self, wish: &AddRecipient) -> Result<NoticeRecipient, Error> {
        self.send(Method::POST, paths::RECIPIENTS.to_owned(), wish)
            .await
    }

    /// Tells what it was.
    pub async fn remove_recipient(&self, id: i64) -> Result<NoticeRecipient, Error> {
        let path = paths::fill(paths::RECIPIENT, &[&id.to_string()]);
        self.send(Method::DELETE, path, &()).await
    }

    /// Sends something there, and waits for what becomes of it.
    pub async fn try_recipient(&self, id: i64) -> Result<NoticeRecipient, Error> {
        let path = paths::fill(paths::RECIPIENT_TRIAL, &[&id.to_string()]);
        self.send(Method::POST, path, &()).await
    }
}
