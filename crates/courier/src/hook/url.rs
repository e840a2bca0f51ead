//! Addresses of webhooks, as people give them. Judges what is written; where a name leads to is seen
//! when it is called.

use std::net::IpAddr;

use url::{Host, Url};

use super::network::{Allowed, RefusedAddress};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`{text}` is no address of a webhook such as https://chat.example.com/hooks/1")]
    NoUrl { text: String },
    #[error("a webhook is called by https or http, not by {scheme}")]
    Scheme { scheme: String },
    /// Everybody who sees the recipient would see them.
    #[error("the address of a webhook holds no user or password: a call is known by its signature")]
    Login,
    #[error(transparent)]
    Network(#[from] RefusedAddress),
}

/// Whether it can be the address of a webhook.
pub(crate) fn check_url(text: &str, allowed: &Allowed) -> Result<(), Error> {
    understood(text, allowed).map(|_| ())
}

pub(super) fn understood(text: &str, allowed: &Allowed) -> Result<Url, Error> {
    // The parser would overlook spaces and line breaks; what is shown is to be what is called.
    let is_strange = |char: char| char.is_whitespace() || char.is_control();
    let parsed = Url::parse(text).ok().filter(|_| !text.contains(is_strange));
    let url = parsed.ok_or_else(|| Error::NoUrl {
        text: text.to_owned(),
    })?;
    if !["https", "http"].contains(&url.scheme()) {
        let scheme = url.scheme().to_owned();
        return Err(Error::Scheme { scheme });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Login);
    }
    // Nobody is asked for these.
    match url.host() {
        Some(Host::Ipv4(address)) => allowed.judge(IpAddr::V4(address))?,
        Some(Host::Ipv6(address)) => allowed.judge(IpAddr::V6(address))?,
        Some(Host::Domain(_)) | None => {}
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let error = check_url(text, &Allowed::default()).unwrap_err();
        error.to_string()
    }

    #[test]
    fn what_can_be_called_is_taken() {
        for text in [
            "https://hooks.example.com/services/T0/B0?x=y",
            "http://example.com:8080",
            "https://1.1.1.1/",
        ] {
            assert!(check_url(text, &Allowed::default()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_a_sentence() {
        for (text, word) in [
            ("chat", "`chat` is no address"),
            ("https://", "`https://` is no address"),
            ("https://a\nb.example.com/", "is no address"),
            (" https://example.com/", "is no address"),
            ("ftp://example.com/", "not by ftp"),
            ("file:///etc/passwd", "not by file"),
            ("https://ada@example.com/", "no user or password"),
            ("https://:x@example.com/", "no user or password"),
        ] {
            assert!(told(text).contains(word), "{text}: {}", told(text));
        }
    }

    #[test]
    fn an_address_is_judged_however_it_is_written() {
        for text in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://１２７.0.0.1/",
        ] {
            assert!(told(text).contains("this machine"), "{text}");
        }
    }
}
