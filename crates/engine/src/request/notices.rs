//! Notices as people ask for them, and who is told: looked at, sent again, added, removed, tried out.

use upkeep_domain::id::AppId;
use upkeep_domain::notice::words::trial;
use upkeep_domain::notice::{Address, Delivery, Listener, Recipient};
use upkeep_domain::ports::DeliveryError;
use upkeep_domain::refusal::Refusal;
use upkeep_store::{Error as StoreError, KeptNotice, KeptRecipient, Wanted};

use super::store_refusal;
use crate::Engine;

/// All of them are looked at for every notice.
const RECIPIENTS_MAX: usize = 1000;
/// A word of its own: nothing happened.
const TRIAL: &str = "trial";

impl Engine {
    /// The newest first.
    pub async fn notices(&self, wanted: &Wanted<'_>) -> Result<Vec<KeptNotice>, Refusal> {
        let notices = self.store.notices(wanted).await;
        notices.map_err(|error| store_refusal(&error))
    }

    /// # Errors
    /// A refusal when there is none with that id.
    pub async fn notice(&self, id: i64) -> Result<KeptNotice, Refusal> {
        let wanted = Wanted {
            id: Some(id),
            at_most: 1,
            ..Wanted::default()
        };
        self.notices(&wanted).await?.pop().ok_or_else(|| {
            Refusal::not_found(format!("there is no notice {id}"))
                .with_hint("`upkeep notices` lists them; after 90 days they are forgotten")
        })
    }

    /// Tries at once what has not been sent of it.
    ///
    /// # Errors
    /// A refusal when there is nothing to be sent.
    pub async fn retry_notice(&self, id: i64) -> Result<KeptNotice, Refusal> {
        self.notice(id).await?;
        let retried = self.store.retry_notice(id).await;
        if retried.map_err(|error| store_refusal(&error))? == 0 {
            let sentence = format!("all of notice {id} has been sent");
            return Err(Refusal::conflict(sentence));
        }
        self.notice(id).await
    }

    pub async fn recipients(&self) -> Result<Vec<KeptRecipient>, Refusal> {
        let recipients = self.store.recipients().await;
        recipients.map_err(|error| store_refusal(&error))
    }

    /// A program that is called gets a secret by which it knows us; it is told once.
    ///
    /// # Errors
    /// A refusal when it is there already, or there are too many.
    pub async fn add_recipient(
        &self,
        address: Address,
        app: Option<AppId>,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<(KeptRecipient, Option<String>), Refusal> {
        let of_no_use = self.world.courier.judge(&address);
        of_no_use.map_err(|sentence| {
            Refusal::invalid(format!("`{}` cannot be told: {sentence}", address.as_str()))
        })?;
        if self.recipients().await?.len() >= RECIPIENTS_MAX {
            let sentence =
                format!("there are {RECIPIENTS_MAX} recipients, and no more can be kept");
            return Err(
                Refusal::conflict(sentence).with_hint("remove some: upkeep recipients:remove ID")
            );
        }
        let secret = matches!(address, Address::Hook(_)).then(|| self.new_secret());
        let listener = Listener { app, address };
        let store = &self.store;
        let added = store.add_recipient(&listener, secret.as_deref(), by, request_id);
        match added.await {
            Ok(added) => Ok(added),
            Err(StoreError::Exists { .. }) => {
                let sentence = format!("`{}` is told already", listener.address.as_str());
                Err(Refusal::conflict(sentence).with_hint("`upkeep recipients` lists them"))
            }
            Err(error) => Err(store_refusal(&error)),
        }
    }

    /// 256 random bits.
    fn new_secret(&self) -> String {
        let half = || {
            let mut bytes = [0; 16];
            self.world.random.fill(&mut bytes);
            u128::from_be_bytes(bytes)
        };
        format!("{:032x}{:032x}", half(), half())
    }

    /// # Errors
    /// A refusal when there is none with that id.
    pub async fn remove_recipient(&self, id: i64) -> Result<KeptRecipient, Refusal> {
        let removed = self.store.remove_recipient(id).await;
        removed
            .map_err(|error| store_refusal(&error))?
            .ok_or_else(|| no_recipient(id))
    }

    /// Sends something to the recipient now, and waits for what becomes of it.
    ///
    /// # Errors
    /// A refusal with what its server said.
    pub async fn try_recipient(&self, id: i64, by: &str) -> Result<KeptRecipient, Refusal> {
        let refused = |error| store_refusal(&error);
        let recipient = self.store.recipient(id).await.map_err(refused)?;
        let (recipient, secret) = recipient.ok_or_else(|| no_recipient(id))?;
        let address = recipient.listener.address.as_str();
        let told_at = self.store.now().await.map_err(refused)?;
        let trial = Delivery {
            // Two trials are two messages.
            notice: told_at.as_microsecond(),
            told_at,
            action: TRIAL.to_owned(),
            database: String::new(),
            letter: trial(by),
            about: serde_json::Value::Null,
            to: Recipient::of(address.to_owned(), secret),
        };
        match self.world.courier.deliver(&trial).await {
            Ok(()) => Ok(recipient),
            Err(DeliveryError::Refused { sentence } | DeliveryError::Failed { sentence }) => Err(
                Refusal::conflict(format!("`{address}` was not reached: {sentence}")),
            ),
        }
    }
}

fn no_recipient(id: i64) -> Refusal {
    Refusal::not_found(format!("there is no recipient {id}"))
        .with_hint("`upkeep recipients` lists them")
}
