//! Mail: a letter becomes a message, and the message goes to the mail server of the installation.
//!
//! The server has taken it or not; whether it arrives is the server's business.

pub(crate) mod address;
mod calendar;
mod html;
mod message;
mod password;
mod smtp;

use camino::Utf8PathBuf;
use lettre::message::Mailbox;
use upkeep_domain::notice::Delivery;
use upkeep_domain::ports::DeliveryError;

use crate::courier::refused;
use crate::settings;
use smtp::Server;

/// Why mail cannot be sent as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the password of the mail server in `{file}`")]
    Password {
        file: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error(
        "everybody can read the password of the mail server in `{file}`; run: chmod o= '{file}'"
    )]
    PasswordIsPublic { file: Utf8PathBuf },
    #[error("`{file}` holds no password: its first line is empty")]
    NoPassword { file: Utf8PathBuf },
    #[error("cannot read the certificates in `{file}`")]
    Certificates {
        file: Utf8PathBuf,
        source: std::io::Error,
    },
    #[error("`{file}` holds no certificate in PEM")]
    NoCertificate { file: Utf8PathBuf },
    #[error("cannot prepare TLS for the mail server")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Sends letters from one sender.
pub(crate) struct Post {
    from: Mailbox,
    server: Server,
}

impl Post {
    pub(crate) fn new(settings: settings::Mail) -> Result<Self, Error> {
        Ok(Self {
            from: settings.from.clone(),
            server: Server::new(settings)?,
        })
    }

    pub(crate) async fn send(
        &self,
        delivery: &Delivery,
        address: &str,
    ) -> Result<(), DeliveryError> {
        let to = address::understood(address).map_err(|error| refused(error.to_string()))?;
        let message = message::of(delivery, &self.from, to);
        self.server.take(&message).await
    }
}

#[cfg(test)]
mod tests;
