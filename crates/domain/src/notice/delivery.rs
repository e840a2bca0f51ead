//! One notice on its way to one recipient: when it is tried again, and when it is given up.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Letter;
use crate::refusal::Refusal;

/// Between the first tries; each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// What nobody has taken by then is of no use any more. Heroku's time for webhooks.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// What is sent. Every try sends the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub notice: i64,
    pub told_at: Timestamp,
    /// The word for what happened, such as `maintenance_started`.
    pub action: String,
    /// Name of the database.
    pub database: String,
    pub letter: Letter,
    /// The facts for programs.
    pub about: Value,
    pub to: Recipient,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Sent,
    /// Refused for good, or given up.
    Failed,
}

pub const STATES: [State; 3] = [State::Pending, State::Sent, State::Failed];

impl State {
    /// As rows, JSON and people have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// # Errors
    /// A refusal that lists the states there are.
    pub fn named(text: &str) -> Result<Self, Refusal> {
        let named = STATES.into_iter().find(|state| state.as_str() == text);
        named.ok_or_else(|| {
            Refusal::invalid(format!("there is no state `{}`", text.escape_default()))
                .with_hint(format!("states: {}", STATES.map(Self::as_str).join(", ")))
        })
    }
}

/// Whom it is for.
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    Mail {
        address: String,
    },
    /// A program that is called by HTTP. It knows by the secret that we call.
    Hook {
        url: String,
        secret: String,
    },
}

impl Recipient {
    /// A program that is called has a secret, and mail has none.
    pub fn of(address: String, secret: Option<String>) -> Self {
        match secret {
            Some(secret) => Self::Hook {
                url: address,
                secret,
            },
            None => Self::Mail { address },
        }
    }

    /// Without the secret.
    pub fn address(&self) -> &str {
        match self {
            Self::Mail { address } => address,
            Self::Hook { url, .. } => url,
        }
    }
}

/// The secret is nobody's business.
impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipient").field(&self.address()).finish()
    }
}

/// How long is waited after that many tries.
pub fn pause_after(tries: u32) -> Duration {
    let doubled = 1_u32.checked_shl(tries.saturating_sub(1));
    let pause = FIRST_PAUSE.checked_mul(doubled.unwrap_or(u32::MAX));
    pause.map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour() {
        let minutes = |tries| pause_after(tries).as_secs() / 60;
        let grown = [1, 2, 3, 6, 7, 8, 40, u32::MAX].map(minutes);
        assert_eq!(grown, [1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let hook = Recipient::Hook {
            url: "https://chat.example.com/x".to_owned(),
            secret: "shh".to_owned(),
        };
        assert_eq!(
            format!("{hook:?}"),
            r#"Recipient("https://chat.example.com/x")"#
        );
    }
}
