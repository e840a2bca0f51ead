//! Connections to a real server with TLS, vouched for and not.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;
use crate::hook::network::network;

/// An authority, and the configuration of a server that it vouches for.
fn certified(name: &str) -> (CertificateDer<'static>, ServerConfig) {
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&key).unwrap().der().clone();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    (root, config.unwrap())
}

/// Takes one connection.
async fn listen(config: ServerConfig) -> (SocketAddr, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.is_ok()
    });
    (address, task)
}

fn trusting(root: CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn here() -> Allowed {
    Allowed::networks(vec![network("127.0.0.1").unwrap()])
}

fn at(address: SocketAddr) -> Url {
    let url = format!("https://localhost:{}/", address.port());
    url.parse().unwrap()
}

#[tokio::test]
async fn a_server_that_is_vouched_for_is_connected_to() {
    let (root, config) = certified("localhost");
    let (address, taken) = listen(config).await;
    let connections = Connections {
        allowed: here(),
        tls: Ok(trusting(root)),
    };
    connections.open(&at(address)).await.ok().unwrap();
    assert!(taken.await.unwrap());
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not() {
    let (root, of_another) = certified("example.com");
    for connections in [
        Connections::new(here()),
        Connections {
            allowed: here(),
            tls: Ok(trusting(root)),
        },
    ] {
        let (address, taken) = listen(of_another.clone()).await;
        let error = connections.open(&at(address)).await.err().unwrap();
        let Error::Tls { source, .. } = error else {
            panic!("{error}");
        };
        assert!(source.to_string().contains("certificate"), "{source}");
        assert!(!taken.await.unwrap());
    }
}
