//! Who is told of what.

use super::Kind;
use crate::id::AppId;
use crate::name::shown;
use crate::refusal::Refusal;

/// Longest address of mail (RFC 5321 has 254 characters), and of programs as well.
const ADDRESS_BYTES_MAX: usize = 254;
/// The owner of an Upkeep whose mail address nobody has said.
const NOWHERE: &str = "@localhost";

/// Somebody who wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Of what concerns that app; of everything, if there is none.
    pub app: Option<AppId>,
    pub address: Address,
}

/// Where notices go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    Mail(String),
    /// The URL of a program that is called.
    Hook(String),
}

impl Address {
    /// # Errors
    /// A refusal that says what an address looks like.
    pub fn typed(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let odd =
            |char: char| char.is_whitespace() || char.is_control() || "<>\",;\\".contains(char);
        let is_url = text.starts_with("https://") || text.starts_with("http://");
        let parts = text.split_once('@');
        let is_mail = parts.is_some_and(|(who, at)| {
            !who.is_empty() && !at.is_empty() && !at.contains('@') && !at.starts_with('.')
        });
        if text.len() > ADDRESS_BYTES_MAX || text.contains(odd) || !(is_url || is_mail) {
            let sentence = format!("`{}` is no address to which a notice could go", shown(text));
            return Err(Refusal::invalid(sentence)
                .with_hint("use a mail address, such as dba@example.com, or the URL of a webhook, such as https://chat.example.com/hooks/1"));
        }
        Ok(if is_url {
            Self::Hook(text.to_owned())
        } else {
            Self::Mail(text.to_owned())
        })
    }

    /// Of an account, unless nobody has said it.
    pub fn of_owner(email: &str) -> Option<Self> {
        (!email.ends_with(NOWHERE)).then(|| Self::Mail(email.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Mail(address) | Self::Hook(address) => address,
        }
    }
}

/// Whether the listener is told of a database that those apps have. `has_window` tells the plans whose
/// people are told of maintenances from those that are maintained without a notice.
pub fn hears(listener: &Listener, kind: Kind, has_window: bool, apps: &[AppId]) -> bool {
    if !kind.is_written_to_people() {
        return false;
    }
    match listener.app {
        Some(app) => has_window && apps.contains(&app),
        None => has_window || kind.is_told_of_every_plan(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn people_hear_of_their_own_databases_and_the_fleet_of_all() {
        let [shop, web] = [1, 2].map(|n| AppId(Uuid::from_u128(n)));
        let of = |app| Listener {
            app,
            address: Address::Mail("a@example.com".to_owned()),
        };
        for (listener, kind, has_window, told) in [
            (of(Some(shop)), Kind::Scheduled, true, true),
            (of(Some(web)), Kind::Scheduled, true, false),
            (of(None), Kind::Scheduled, true, true),
            // Essential plans are maintained without a notice.
            (of(Some(shop)), Kind::Started, false, false),
            (of(Some(shop)), Kind::Stuck, false, false),
            (of(None), Kind::Started, false, false),
            (of(None), Kind::Stuck, false, true),
            (of(None), Kind::Again, true, false),
        ] {
            assert_eq!(
                hears(&listener, kind, has_window, &[shop]),
                told,
                "{listener:?} {kind:?} {has_window}"
            );
        }
    }

    #[test]
    fn addresses_are_of_mail_or_of_programs() {
        let mail = Address::Mail("dba@example.com".to_owned());
        assert_eq!(Address::typed(" dba@example.com "), Ok(mail));
        let url = "https://chat.example.com/hooks/1?key=x";
        assert_eq!(Address::typed(url), Ok(Address::Hook(url.to_owned())));
        let long = format!("{}@example.com", "a".repeat(254));
        for odd in [
            "",
            "dba",
            "@example.com",
            "dba@",
            "a@b@c",
            "a b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "Ama <ama@example.com>",
            "a@example.com,b@example.com",
            "ftp://example.com",
            &long,
        ] {
            assert!(Address::typed(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_owner_whose_address_nobody_said_gets_no_mail() {
        assert_eq!(Address::of_owner("owner@localhost"), None);
        assert!(Address::of_owner("ama@example.com").is_some());
    }
}
