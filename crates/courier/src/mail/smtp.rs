//! Hands a message to the mail server, over a connection of its own, within a deadline.
//!
//! Whatever goes wrong before the message is offered is between the server and us, and can be mended. Only
//! what the server says of the message or its recipient can be the end of it.

use std::error::Error as _;
use std::fs;
use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use camino::Utf8Path;
use lettre::Message;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Mail, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::ports::DeliveryError;
use zeroize::Zeroizing;

use super::{Error, password};
use crate::courier::{failed, refused};
use crate::heard;
use crate::settings::{self, Encryption, Login};

const WITHIN: Duration = Duration::from_secs(30);
/// A message that has been taken is not failed by a server that does not say goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// Replies about our login, though they come with a message: authentication is required (530), too weak (534),
/// invalid (535), or needs encryption (538).
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

pub(super) struct Server {
    settings: settings::Mail,
    tls: Tls,
    name: ClientId,
}

enum Tls {
    None,
    FromTheStart(TlsParameters),
    Starttls(TlsParameters),
}

/// Kept only while a message is sent.
struct Secret {
    user: String,
    password: Zeroizing<String>,
}

impl Server {
    /// Looks at the files that are needed for every message, so that a mistake shows at once.
    pub(super) fn new(settings: settings::Mail) -> Result<Self, Error> {
        settings.login.as_ref().map(secret).transpose()?;
        Ok(Self {
            tls: tls(&settings)?,
            name: ClientId::default(),
            settings,
        })
    }

    /// Ok when the server has taken it.
    pub(super) async fn take(&self, message: &Message) -> Result<(), DeliveryError> {
        let login = self.settings.login.as_ref();
        let secret = login.map(secret).transpose();
        let secret = secret.map_err(|error| failed(ErrorChain(&error).to_string()))?;
        let taken = timeout(WITHIN, self.hand_over(message, secret.as_ref())).await;
        let mut connection = taken.map_err(|_| {
            let within = WITHIN.as_secs();
            failed(format!(
                "{} did not take the mail within {within} s",
                self.shown()
            ))
        })??;
        let _ = timeout(GOODBYE_WITHIN, connection.quit()).await;
        Ok(())
    }

    async fn hand_over(
        &self,
        message: &Message,
        secret: Option<&Secret>,
    ) -> Result<AsyncSmtpConnection, DeliveryError> {
        let connected = self.connect(secret).await;
        let mut connection = connected.map_err(|error| failed(self.sentence(&error, secret)))?;
        // Whether it takes anything from us is asked before: that is no fault of the message.
        for ours in [
            Mail::new(message.envelope().from().cloned(), vec![]).to_string(),
            Rset.to_string(),
        ] {
            let said = connection.command(ours).await;
            said.map_err(|error| failed(self.sentence(&error, secret)))?;
        }
        let bytes = message.formatted();
        match connection.send(message.envelope(), &bytes).await {
            Ok(_) => Ok(connection),
            Err(error) if is_about_the_message(&error) => {
                Err(refused(self.sentence(&error, secret)))
            }
            Err(error) => Err(failed(self.sentence(&error, secret))),
        }
    }

    async fn connect(&self, secret: Option<&Secret>) -> Result<AsyncSmtpConnection, smtp::Error> {
        let at = (self.settings.host.as_str(), self.settings.port);
        let from_the_start = match &self.tls {
            Tls::FromTheStart(tls) => Some(tls.clone()),
            Tls::None | Tls::Starttls(_) => None,
        };
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(at, Some(WITHIN), &self.name, from_the_start, None)
                .await?;
        if let Tls::Starttls(tls) = &self.tls {
            connection.starttls(tls.clone(), &self.name).await?;
        }
        if let Some(Secret { user, password }) = secret {
            let credentials = Credentials::new(user.clone(), password.to_string());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }

    fn shown(&self) -> String {
        format!(
            "the mail server {}:{}",
            self.settings.host, self.settings.port
        )
    }

    /// What went wrong, for people.
    fn sentence(&self, error: &smtp::Error, secret: Option<&Secret>) -> String {
        let (what, said) = match error.status() {
            Some(code) => {
                let said = error.source().map(ToString::to_string);
                (format!("answers {code}"), said.unwrap_or_default())
            }
            None => ("could not be used".to_owned(), error.to_string()),
        };
        let said = match secret {
            Some(secret) => secret.hidden_in(&said),
            None => said,
        };
        format!("{} {what}: {}", self.shown(), heard::one_line(&said))
    }
}

impl Secret {
    /// Some servers repeat the command that they do not like.
    fn hidden_in(&self, said: &str) -> String {
        let Self { user, password } = self;
        let plain = Zeroizing::new(format!("\0{user}\0{}", **password));
        let forms = [
            Zeroizing::new(BASE64_STANDARD.encode(plain.as_bytes())),
            Zeroizing::new(BASE64_STANDARD.encode(password.as_bytes())),
            password.clone(),
        ];
        let hide = |said: String, form: &Zeroizing<String>| said.replace(form.as_str(), "…");
        forms.iter().fold(said.to_owned(), hide)
    }
}

fn secret(login: &Login) -> Result<Secret, Error> {
    Ok(Secret {
        user: login.user.clone(),
        password: password::read(&login.password_file)?,
    })
}

fn is_about_the_message(error: &smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    error.is_permanent() && code.is_none_or(|code| !ABOUT_US.contains(&code))
}

fn tls(settings: &settings::Mail) -> Result<Tls, Error> {
    let parameters = || {
        let builder = TlsParameters::builder(settings.host.clone());
        let builder = trusting(builder, settings.ca_file.as_deref())?;
        builder.build().map_err(Error::Tls)
    };
    Ok(match settings.encryption {
        Encryption::None => Tls::None,
        Encryption::Tls => Tls::FromTheStart(parameters()?),
        Encryption::Starttls => Tls::Starttls(parameters()?),
    })
}

/// Those in the file, too.
fn trusting(
    builder: TlsParametersBuilder,
    file: Option<&Utf8Path>,
) -> Result<TlsParametersBuilder, Error> {
    let Some(file) = file else {
        return Ok(builder);
    };
    let pem = fs::read(file).map_err(|source| Error::Certificates {
        file: file.to_owned(),
        source,
    })?;
    let none = || Error::NoCertificate {
        file: file.to_owned(),
    };
    if !pem.windows(BEGINS.len()).any(|bytes| bytes == BEGINS) {
        return Err(none());
    }
    let certificate = Certificate::from_pem(&pem).map_err(|_| none())?;
    Ok(builder.add_root_certificate(certificate))
}

/// Without it, a file is understood as one of no certificates.
const BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_does_not_tell_the_password() {
        let secret = Secret {
            user: "ada".to_owned(),
            password: Zeroizing::new("s3cret!".to_owned()),
        };
        for said in [
            "unknown: s3cret!",
            "unknown: AUTH PLAIN AGFkYQBzM2NyZXQh",
            "unknown: czNjcmV0IQ==",
        ] {
            let hidden = secret.hidden_in(said);
            assert!(
                hidden.starts_with("unknown: ") && hidden.ends_with('…'),
                "{hidden}"
            );
        }
    }
}
