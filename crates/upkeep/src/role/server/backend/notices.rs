//! What people are told, and who is told.

use async_trait::async_trait;
use upkeep_domain::id::AppId;
use upkeep_domain::name::AppName;
use upkeep_domain::notice::Address;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::{NoticeView, Notices, NoticesWanted, RecipientView};
use upkeep_store::Wanted;
use uuid::Uuid;

use super::EngineBackend;
use crate::role::server::views;

#[async_trait]
impl Notices for EngineBackend {
    async fn notices(&self, wanted: NoticesWanted) -> Result<Vec<NoticeView>, Refusal> {
        let wanted = Wanted {
            id: None,
            app: wanted.app.as_ref().map(AppName::as_str),
            state: wanted.state,
            at_most: wanted.at_most,
        };
        let notices = self.engine.notices(&wanted).await?;
        Ok(notices.into_iter().map(views::notice).collect())
    }

    async fn notice(&self, id: i64) -> Result<NoticeView, Refusal> {
        self.engine.notice(id).await.map(views::notice)
    }

    async fn retry_notice(&self, id: i64) -> Result<NoticeView, Refusal> {
        self.engine.retry_notice(id).await.map(views::notice)
    }

    async fn recipients(&self) -> Result<Vec<RecipientView>, Refusal> {
        let kept = self.engine.recipients().await?;
        kept.into_iter()
            .map(|kept| views::recipient(kept, None))
            .collect()
    }

    async fn add_recipient(
        &self,
        address: Address,
        app: Option<AppId>,
        by: &str,
        request_id: Uuid,
    ) -> Result<RecipientView, Refusal> {
        let request_id = request_id.to_string();
        let adding = self
            .engine
            .add_recipient(address, app, by, Some(&request_id));
        let (added, secret) = adding.await?;
        views::recipient(added, secret)
    }

    async fn remove_recipient(&self, id: i64) -> Result<RecipientView, Refusal> {
        views::recipient(self.engine.remove_recipient(id).await?, None)
    }

    async fn try_recipient(&self, id: i64, by: &str) -> Result<RecipientView, Refusal> {
        views::recipient(self.engine.try_recipient(id, by).await?, None)
    }
}
