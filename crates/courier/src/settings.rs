//! The notices file: who sends mail, by which server, and which private networks webhooks may reach.
//!
//! Only reads the text. Files that it names are opened by whoever uses them.

use std::net::IpAddr;

use camino::Utf8PathBuf;
use lettre::message::Mailbox;
use serde::Deserialize;
use toml::Spanned;
use upkeep_domain::file::{Error, Place};

use crate::hook::network::{Allowed, network};

/// The documentation of the format.
pub const EXAMPLE: &str = include_str!("settings/example.toml");

/// How notices leave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub(crate) mail: Option<Mail>,
    pub(crate) allowed: Allowed,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mail {
    pub from: Mailbox,
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub login: Option<Login>,
    pub ca_file: Option<Utf8PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub user: String,
    pub password_file: Utf8PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encryption {
    #[default]
    Starttls,
    Tls,
    /// To this machine only.
    None,
}

impl Encryption {
    fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    from: Option<Spanned<String>>,
    smtp: Option<Spanned<Smtp>>,
    #[serde(default)]
    hooks: Hooks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Smtp {
    host: Spanned<String>,
    port: Option<Spanned<u32>>,
    tls: Option<Spanned<Encryption>>,
    user: Option<Spanned<String>>,
    password_file: Option<Spanned<Utf8PathBuf>>,
    ca_file: Option<Utf8PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Hooks {
    allow: Vec<Spanned<String>>,
}

impl Settings {
    /// Understands a file in the format of [`EXAMPLE`].
    ///
    /// # Errors
    /// With the line, the key, and what is allowed there.
    pub fn read(text: &str) -> Result<Self, Error> {
        let place = Place::of(text);
        let file: File = place.parse()?;
        let from = file.from.map(|from| mailbox(&place, &from)).transpose()?;
        let smtp = file.smtp.map(|smtp| mail(&place, from, smtp)).transpose()?;
        Ok(Self {
            mail: smtp,
            allowed: allowed(&place, &file.hooks)?,
        })
    }
}

fn mailbox(place: &Place<'_>, from: &Spanned<String>) -> Result<Mailbox, Error> {
    from.get_ref().parse().map_err(|_| {
        let sentence = format!(
            "`{}` is no sender such as Upkeep <upkeep@example.com>",
            from.get_ref()
        );
        place.error(&from.span(), "from", sentence)
    })
}

fn mail(place: &Place<'_>, from: Option<Mailbox>, smtp: Spanned<Smtp>) -> Result<Mail, Error> {
    let Some(from) = from else {
        let sentence = "it is missing: mail needs a sender, such as from = \"upkeep@example.com\"";
        return Err(place.error(&smtp.span(), "from", sentence.to_owned()));
    };
    let smtp = smtp.into_inner();
    let encryption = encryption(place, &smtp)?;
    let port = match &smtp.port {
        Some(port) => place.number("port", port, 1..=65535)? as u16,
        None => encryption.port(),
    };
    Ok(Mail {
        from,
        port,
        encryption,
        login: login(place, smtp.user, smtp.password_file)?,
        ca_file: smtp.ca_file,
        host: smtp.host.into_inner(),
    })
}

/// What is not encrypted stays on this machine.
fn encryption(place: &Place<'_>, smtp: &Smtp) -> Result<Encryption, Error> {
    let host = smtp.host.get_ref();
    if host.is_empty() || host.contains(|char: char| char.is_whitespace() || char == '/') {
        let sentence = format!("`{host}` is no host such as mail.example.com");
        return Err(place.error(&smtp.host.span(), "host", sentence));
    }
    let Some(said) = &smtp.tls else {
        return Ok(Encryption::default());
    };
    let encryption = *said.get_ref();
    if encryption == Encryption::None && !is_this_machine(host) {
        let sentence = format!(
            "\"none\" is for a mail server on this machine, and {host} may be another: say \"starttls\" or \"tls\""
        );
        return Err(place.error(&said.span(), "tls", sentence));
    }
    Ok(encryption)
}

fn is_this_machine(host: &str) -> bool {
    let address: Result<IpAddr, _> = host.parse();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn login(
    place: &Place<'_>,
    user: Option<Spanned<String>>,
    password_file: Option<Spanned<Utf8PathBuf>>,
) -> Result<Option<Login>, Error> {
    match (user, password_file) {
        (None, None) => Ok(None),
        (Some(user), Some(file)) => Ok(Some(Login {
            user: user.into_inner(),
            password_file: file.into_inner(),
        })),
        (Some(user), None) => {
            let sentence = "it needs a password_file beside it";
            Err(place.error(&user.span(), "user", sentence.to_owned()))
        }
        (None, Some(file)) => {
            let sentence = "it needs a user beside it";
            Err(place.error(&file.span(), "password_file", sentence.to_owned()))
        }
    }
}

fn allowed(place: &Place<'_>, hooks: &Hooks) -> Result<Allowed, Error> {
    let networks = hooks.allow.iter().map(|said| {
        network(said.get_ref()).ok_or_else(|| {
            let sentence = format!(
                "`{}` is no network such as 10.1.2.0/24 and no address",
                said.get_ref()
            );
            place.error(&said.span(), "allow", sentence)
        })
    });
    Ok(Allowed::networks(networks.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests;
