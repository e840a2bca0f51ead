//! The door: takes a delivery the way that its recipient is reached.

use async_trait::async_trait;
use upkeep_domain::notice::{Address, Delivery, Recipient};
use upkeep_domain::ports::{self, DeliveryError};

use crate::hook::call::Caller;
use crate::mail::address::check_address;
use crate::mail::{Error, Post};
use crate::settings::Settings;

/// Whom people have to give a notices file.
const NO_FILE: &str = "no mail server is set: give `upkeep up --notices FILE`";
const NO_SERVER: &str = "no mail server is set: write [smtp] into the notices file";

/// Mail and calls, as an installation has set them up.
pub struct Courier {
    mail: Mail,
    caller: Caller,
}

enum Mail {
    By(Box<Post>),
    /// Why there is none, and what to do.
    Without(&'static str),
}

impl Courier {
    /// Looks at the files that the settings name. Talks to nobody.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let mail = match settings.mail {
            Some(mail) => Mail::By(Box::new(Post::new(mail)?)),
            None => Mail::Without(NO_SERVER),
        };
        Ok(Self {
            mail,
            caller: Caller::new(settings.allowed),
        })
    }

    /// Where nobody has written a notices file: webhooks are called, mail fails.
    pub fn without_settings() -> Self {
        Self {
            mail: Mail::Without(NO_FILE),
            caller: Caller::new(Settings::default().allowed),
        }
    }
}

#[async_trait]
impl ports::Courier for Courier {
    async fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryError> {
        match (&delivery.to, &self.mail) {
            (Recipient::Mail { address }, Mail::By(post)) => post.send(delivery, address).await,
            (Recipient::Mail { .. }, Mail::Without(why)) => Err(failed(*why)),
            (Recipient::Hook { url, secret }, _) => self.caller.call(delivery, url, secret).await,
        }
    }

    fn judge(&self, address: &Address) -> Result<(), String> {
        match address {
            Address::Mail(address) => check_address(address).map_err(|error| error.to_string()),
            Address::Hook(url) => self.caller.judge(url).map_err(|error| error.to_string()),
        }
    }
}

pub(crate) fn failed(sentence: impl Into<String>) -> DeliveryError {
    let sentence = sentence.into();
    DeliveryError::Failed { sentence }
}

pub(crate) fn refused(sentence: impl Into<String>) -> DeliveryError {
    let sentence = sentence.into();
    DeliveryError::Refused { sentence }
}
