//! Recipients, kept in their order, and one notice that has not been sent yet.

use async_trait::async_trait;
use upkeep_domain::id::AppId;
use upkeep_domain::notice::Address;
use upkeep_domain::notice::delivery::State;
use upkeep_domain::notice::words::trial;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::{
    Backend, DeliveryView, NoticeView, Notices, NoticesWanted, RecipientView,
};
use uuid::Uuid;

use super::{World, at};

/// Nothing listens there.
pub(crate) const UNREACHED: &str = "nobody@example.com";

fn the_notice() -> NoticeView {
    NoticeView {
        id: 1,
        created_at: at(1_700_000_000),
        kind: "maintenance_scheduled".to_owned(),
        database: Some("orders".to_owned()),
        letter: Some(trial("ama@example.com")),
        deliveries: vec![DeliveryView {
            address: UNREACHED.to_owned(),
            state: State::Pending,
            tries: 2,
            next_try_at: Some(at(1_700_000_120)),
            sent_at: None,
            trouble: Some("it does not answer".to_owned()),
        }],
    }
}

#[async_trait]
impl Notices for World {
    async fn notices(&self, wanted: NoticesWanted) -> Result<Vec<NoticeView>, Refusal> {
        let is_wanted = wanted.state.is_none_or(|state| state == State::Pending);
        Ok(is_wanted.then(the_notice).into_iter().collect())
    }

    async fn notice(&self, id: i64) -> Result<NoticeView, Refusal> {
        let known = (id == 1).then(the_notice);
        known.ok_or_else(|| Refusal::not_found(format!("there is no notice {id}")))
    }

    async fn retry_notice(&self, id: i64) -> Result<NoticeView, Refusal> {
        self.notice(id).await
    }

    async fn recipients(&self) -> Result<Vec<RecipientView>, Refusal> {
        Ok(self.state().recipients.clone())
    }

    async fn add_recipient(
        &self,
        address: Address,
        app: Option<AppId>,
        by: &str,
        _request_id: Uuid,
    ) -> Result<RecipientView, Refusal> {
        let app = match app {
            Some(id) => Some(self.app(&id.to_string()).await?.name),
            None => None,
        };
        let recipients = &mut self.state().recipients;
        let is_hook = matches!(address, Address::Hook(_));
        let view = RecipientView {
            id: recipients.last().map_or(1, |last| last.id + 1),
            address,
            app,
            added_by: by.to_owned(),
            added_at: at(1_700_000_000),
            secret: None,
        };
        recipients.push(view.clone());
        Ok(RecipientView {
            secret: is_hook.then(|| "5ec7e7".to_owned()),
            ..view
        })
    }

    async fn remove_recipient(&self, id: i64) -> Result<RecipientView, Refusal> {
        let known = self.recipient(id)?;
        self.state().recipients.retain(|kept| kept.id != id);
        Ok(known)
    }

    async fn try_recipient(&self, id: i64, _by: &str) -> Result<RecipientView, Refusal> {
        let known = self.recipient(id)?;
        if known.address.as_str() == UNREACHED {
            return Err(Refusal::conflict(format!("`{UNREACHED}` was not reached")));
        }
        Ok(known)
    }
}

impl World {
    fn recipient(&self, id: i64) -> Result<RecipientView, Refusal> {
        let recipients = self.state().recipients.clone();
        let mut known = recipients.into_iter().filter(|kept| kept.id == id);
        let known = known.next();
        known.ok_or_else(|| Refusal::not_found(format!("there is no recipient {id}")))
    }
}
