//! A ClientKey recovered from one login opens sessions on a real server, until the password changes.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use upkeep_wire::frame::{Message, MessageBuffer};
use upkeep_wire::message::{AuthRequest, BackendKey, DataRow, ErrorFields, frontend};
use upkeep_wire::scram::{ClientExchange, ClientKeys, MECHANISM, ServerExchange, Verifier};
use upkeep_wire::startup::Startup;

use crate::server::Server;

/// A short dialogue in whole messages.
struct Dialogue {
    stream: UnixStream,
    buffer: MessageBuffer,
}

impl Dialogue {
    fn start(server: &Server, user: &str) -> Self {
        let mut stream = server.connect();
        let startup = Startup::new(user, "postgres").with_param("application_name", "it");
        stream.write_all(&startup.to_packet(0)).unwrap();
        let buffer = MessageBuffer::with_limit(100_000);
        Self { stream, buffer }
    }

    fn send(&mut self, build: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = Vec::new();
        build(&mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    fn next(&mut self) -> Message {
        loop {
            if let Some(message) = self.buffer.next_message().unwrap() {
                return message;
            }
            let mut chunk = [0; 1024];
            let n = self.stream.read(&mut chunk).unwrap();
            assert_ne!(n, 0, "server closed the dialogue");
            self.buffer.push(&chunk[..n]);
        }
    }

    fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let message = self.next();
            if message.tag == b'Z' {
                return messages;
            }
            assert_ne!(
                message.tag,
                b'E',
                "{:?}",
                ErrorFields::read(&message.payload)
            );
            messages.push(message);
        }
    }

    /// The first column of the first row.
    fn value(&mut self, sql: &str) -> Option<String> {
        self.send(|b| frontend::query(b, sql));
        let replies = self.until_ready();
        let row = replies.iter().find(|message| message.tag == b'D')?;
        let row = DataRow::read(&row.payload).unwrap();
        row.text(0).unwrap().map(str::to_owned)
    }
}

/// The keys that a proxy learns when a client logs in to it with a password.
fn keys_of_a_login(password: &str, verifier: Verifier) -> ClientKeys {
    let mut client = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
    let (exchange, challenge) =
        ServerExchange::begin(verifier, client.message(), "bm9uY2Ugb2YgdGhlIHByb3h5").unwrap();
    client.update(challenge.as_bytes()).unwrap();
    exchange.finish(client.message()).unwrap().keys
}

fn login(server: &Server, user: &str, keys: ClientKeys) -> Result<Dialogue, ErrorFields> {
    let mut dialogue = Dialogue::start(server, user);
    let offer = dialogue.next();
    assert!(AuthRequest::read(&offer.payload).unwrap().offers(MECHANISM));
    let (exchange, first) = ClientExchange::begin(keys, "Y2xpZW50IG5vbmNl");
    dialogue.send(|b| frontend::sasl_initial_response(b, MECHANISM, first.as_bytes()));
    let challenge = dialogue.next();
    let AuthRequest::SaslContinue(data) = AuthRequest::read(&challenge.payload).unwrap() else {
        panic!("no challenge: {challenge:?}");
    };
    let (exchange, proof) = exchange.prove(data).unwrap();
    dialogue.send(|b| frontend::sasl_response(b, proof.as_bytes()));
    let verdict = dialogue.next();
    if verdict.tag == b'E' {
        return Err(ErrorFields::read(&verdict.payload).unwrap());
    }
    let AuthRequest::SaslFinal(data) = AuthRequest::read(&verdict.payload).unwrap() else {
        panic!("no signature: {verdict:?}");
    };
    exchange.verify(data).unwrap();
    Ok(dialogue)
}

#[test]
fn a_client_key_logs_in_until_the_password_changes() {
    let server = Server::start();
    let mut admin = Dialogue::start(&server, "postgres");
    admin.until_ready();
    admin.value("create role bob login password 's3cret'");
    let read_verifier = "select rolpassword from pg_authid where rolname = 'bob'";
    let verifier = Verifier::parse(&admin.value(read_verifier).unwrap()).unwrap();

    let keys = keys_of_a_login("s3cret", verifier.clone());
    let mut bob = login(&server, "bob", keys.clone()).unwrap();
    let greeting = bob.until_ready();
    let key = greeting.iter().find(|message| message.tag == b'K').unwrap();
    assert_eq!(BackendKey::read(&key.payload).unwrap().secret.len(), 4);
    assert_eq!(bob.value("select current_user").as_deref(), Some("bob"));
    let name = bob.value("select current_setting('application_name')");
    assert_eq!(name.as_deref(), Some("it"));

    admin.value("alter role bob password 'other'");
    let changed = Verifier::parse(&admin.value(read_verifier).unwrap()).unwrap();
    assert!(verifier.accepts(&keys) && !changed.accepts(&keys));
    let refused = login(&server, "bob", keys).err().unwrap();
    assert_eq!((refused.code.as_str(), refused.is_fatal()), ("28P01", true));
}

#[test]
fn a_verifier_of_our_own_making_is_taken_by_the_server() {
    let server = Server::start();
    let mut admin = Dialogue::start(&server, "postgres");
    admin.until_ready();
    let verifier = Verifier::from_password("s3crět", b"0123456789abcdef", 4096).unwrap();
    let stored = verifier.to_stored();
    admin.value(&format!("create role ann login password '{stored}'"));
    let kept = admin.value("select rolpassword from pg_authid where rolname = 'ann'");
    assert_eq!(kept, Some(stored));
    let keys = keys_of_a_login("s3crět", verifier);
    login(&server, "ann", keys).unwrap().until_ready();
}
