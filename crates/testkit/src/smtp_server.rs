//! Starts a mail server: aiosmtpd, which `cargo xtask setup` brings. It ends with its fixture.

#![expect(
    clippy::unwrap_used,
    reason = "a mail server that does not come up is the failure of the test"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/smtp_server/server.py");
/// Python starts slowly where tests share two cores.
const WITHIN: Duration = Duration::from_secs(60);

pub const USER: &str = "upkeep";
pub const PASSWORD: &str = "s3cret!";

/// How the server differs from one that takes everything from everybody in clear.
#[derive(Default)]
pub struct Kind {
    pub tls: Option<&'static str>,
    pub login: bool,
    pub behaviour: Option<&'static str>,
}

pub struct SmtpServer {
    folder: TempDir,
    tls: &'static str,
    port: u16,
    talk: Lines<BufReader<ChildStdout>>,
    /// Is killed when this is dropped.
    process: Child,
}

/// A message and how it came.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Kept {
    pub from: String,
    pub to: Vec<String>,
    pub encrypted: bool,
    pub user: Option<String>,
    pub message: String,
}

impl SmtpServer {
    pub async fn start(kind: Kind) -> Self {
        let folder = TempDir::new().unwrap();
        write_certificates(folder.path());
        let settings = json!({
            "folder": folder.path(),
            "certificate": folder.path().join("server.pem"),
            "key": folder.path().join("server.key"),
            "tls": kind.tls,
            "login": kind.login.then_some([USER, PASSWORD]),
            "behaviour": kind.behaviour.unwrap_or("takes"),
        });
        assert!(
            Path::new(PACKAGES).exists(),
            "aiosmtpd is not there: run `cargo xtask setup`"
        );
        let mut process = python(&settings.to_string());
        let talk = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut server = Self {
            folder,
            tls: kind.tls.unwrap_or("none"),
            port: 0,
            talk,
            process,
        };
        server.port = server.hears().await.parse().unwrap();
        server
    }

    /// The next line that it says.
    pub async fn hears(&mut self) -> String {
        let line = timeout(WITHIN, self.talk.next_line()).await;
        line.expect("it speaks in time").unwrap().expect("it lives")
    }

    pub async fn end(mut self) {
        self.process.kill().await.unwrap();
    }

    /// A notices file for it.
    pub fn settings(&self) -> String {
        let (folder, tls, port) = (self.folder.path().display(), self.tls, self.port);
        format!(
            "from = \"Upkeep <upkeep@example.com>\"\n[smtp]\nhost = \"localhost\"\nport = {port}\n\
             tls = \"{tls}\"\nca_file = \"{folder}/ca.pem\"\n"
        )
    }

    /// Another one, with a login.
    pub fn settings_with(&self, password: &str) -> String {
        let file = self.folder.path().join("password");
        fs::write(&file, password).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        format!(
            "{}user = \"{USER}\"\npassword_file = \"{}\"\n",
            self.settings(),
            file.display()
        )
    }

    /// All messages, in the order in which they came.
    pub fn all(&self) -> Vec<Kept> {
        (1..).map_while(|number| self.kept(number)).collect()
    }

    /// The message with this number, from 1.
    pub fn kept(&self, number: u32) -> Option<Kept> {
        let file = self.folder.path().join(format!("{number}.json"));
        let text = fs::read_to_string(file).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the fixture runs somebody else's server"
)]
fn python(settings: &str) -> Child {
    Command::new("python3")
        .args(["-W", "ignore", PROGRAM, settings])
        .env("PYTHONPATH", PACKAGES)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// An authority, and a server's certificate by it for this machine.
fn write_certificates(folder: &Path) {
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    for (name, text) in [
        ("ca.pem", root.pem()),
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}
