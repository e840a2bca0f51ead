//! Opens the connection for a call: finds the addresses of a host, lets [`Allowed`] judge them, and connects
//! to what was judged, so that a name cannot change in between. What is said on it is not known here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};
use url::{Host, Url};

use super::network::{Allowed, RefusedAddress};

/// One of several addresses may not answer at all.
const EACH_WITHIN: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot find {host}")]
    Name { host: String, source: io::Error },
    #[error(transparent)]
    Network(#[from] RefusedAddress),
    #[error("cannot connect to {host}")]
    Connect { host: String, source: io::Error },
    #[error("cannot speak TLS with {host}")]
    Tls { host: String, source: io::Error },
    #[error(
        "cannot verify certificates on this machine; if it has none to trust, install the package \
         ca-certificates"
    )]
    Trust(#[source] rustls::Error),
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Connections {
    pub(super) allowed: Allowed,
    /// An error where the machine trusts nobody: only calls by https need it.
    tls: Result<TlsConnector, rustls::Error>,
}

impl Connections {
    pub(super) fn new(allowed: Allowed) -> Self {
        let tls = trusting_the_machine().map(|config| TlsConnector::from(Arc::new(config)));
        Self { allowed, tls }
    }

    /// To the host of `url`, encrypted if it says so.
    pub(super) async fn open(&self, url: &Url) -> Result<Box<dyn Stream>, Error> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let addresses = match addresses(url).await {
            Ok(found) => self.allowed.choose(found.into_iter())?,
            Err(source) => return Err(Error::Name { host, source }),
        };
        let stream = match connect(&addresses).await {
            Ok(stream) => stream,
            Err(source) => return Err(Error::Connect { host, source }),
        };
        if url.scheme() == "http" {
            return Ok(Box::new(stream));
        }
        let tls = self
            .tls
            .as_ref()
            .map_err(|error| Error::Trust(error.clone()))?;
        match encrypt(tls, url, stream).await {
            Ok(stream) => Ok(stream),
            Err(source) => Err(Error::Tls { host, source }),
        }
    }
}

async fn addresses(url: &Url) -> io::Result<Vec<SocketAddr>> {
    let port = url.port_or_known_default().unwrap_or_default();
    Ok(match url.host() {
        Some(Host::Ipv4(address)) => vec![(address, port).into()],
        Some(Host::Ipv6(address)) => vec![(address, port).into()],
        Some(Host::Domain(name)) => lookup_host((name, port)).await?.collect(),
        None => Vec::new(),
    })
}

/// To the first that answers.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in addresses {
        match timeout(EACH_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

async fn encrypt(tls: &TlsConnector, url: &Url, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
    let name = match url.host() {
        Some(Host::Ipv4(address)) => ServerName::from(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => ServerName::from(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            ServerName::try_from(name.to_owned()).map_err(io::Error::other)?
        }
        None => return Err(io::ErrorKind::InvalidInput.into()),
    };
    let stream = tls.connect(name, stream).await?;
    Ok(Box::new(stream))
}

/// With a provider of our own, not one that is set for the whole process.
fn trusting_the_machine() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new(provider.clone())?;
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

#[cfg(test)]
mod tests;
