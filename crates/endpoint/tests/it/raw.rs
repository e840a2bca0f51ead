//! A client that speaks the protocol message by message, for what no driver does.

use std::net::SocketAddr;
use std::time::Duration;

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use upkeep_wire::frame::{Message, MessageBuffer};
use upkeep_wire::message::{AuthRequest, BackendKey, DataRow, ErrorFields, Notification, frontend};
use upkeep_wire::startup::{Startup, cancel_request};

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct RawClient {
    stream: TcpStream,
    buffer: MessageBuffer,
    pub(crate) key: BackendKey,
    heard: Vec<(u32, String)>,
}

impl RawClient {
    pub(crate) async fn connect(
        address: SocketAddr,
        user: &str,
        password: &str,
        dbname: &str,
    ) -> Self {
        let startup = Startup::new(user, dbname).with_param("application_name", "raw");
        Self::connect_with(address, &startup, password).await
    }

    pub(crate) async fn connect_with(
        address: SocketAddr,
        startup: &Startup,
        password: &str,
    ) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let key = BackendKey {
            pid: 0,
            secret: vec![],
        };
        let mut client = Self {
            stream,
            buffer: MessageBuffer::with_limit(1 << 24),
            key,
            heard: vec![],
        };
        client.send(&startup.to_packet(0)).await;
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        loop {
            let message = client.next().await;
            match message.tag {
                b'R' => client.authenticate(&message.payload, &mut scram).await,
                b'K' => client.key = BackendKey::read(&message.payload).unwrap(),
                b'E' => panic!("{:?}", ErrorFields::read(&message.payload)),
                b'Z' => return client,
                _ => {}
            }
        }
    }

    async fn authenticate(&mut self, payload: &[u8], scram: &mut ScramSha256) {
        let mut out = Vec::new();
        match AuthRequest::read(payload).unwrap() {
            AuthRequest::Sasl(_) => {
                frontend::sasl_initial_response(&mut out, "SCRAM-SHA-256", scram.message());
            }
            AuthRequest::SaslContinue(data) => {
                scram.update(data).unwrap();
                frontend::sasl_response(&mut out, scram.message());
            }
            AuthRequest::SaslFinal(data) => scram.finish(data).unwrap(),
            _ => {}
        }
        self.send(&out).await;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn stop_sending(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    pub(crate) async fn try_next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.buffer.next_message().unwrap() {
                return Some(message);
            }
            let mut chunk = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut chunk)).await;
            match read.expect("the endpoint says something").unwrap_or(0) {
                0 => return None,
                n => self.buffer.push(&chunk[..n]),
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Message {
        self.try_next().await.expect("the session goes on")
    }

    /// Messages up to and including ReadyForQuery; notifications among them are set apart.
    pub(crate) async fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let message = self.next().await;
            if message.tag == b'A' {
                self.heard.push(notification(&message));
                continue;
            }
            messages.push(message);
            if messages.last().unwrap().tag == b'Z' {
                return messages;
            }
        }
    }

    /// What was heard so far: senders and texts.
    pub(crate) fn heard(&mut self) -> Vec<(u32, String)> {
        std::mem::take(&mut self.heard)
    }

    pub(crate) async fn query(&mut self, sql: &str) -> Vec<Message> {
        let mut out = Vec::new();
        frontend::query(&mut out, sql);
        self.send(&out).await;
        self.until_ready().await
    }

    /// The rows of a query that must succeed, as text.
    pub(crate) async fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        rows(&self.query(sql).await)
    }
}

/// Asks for a cancel, and waits until it has been dealt with.
pub(crate) async fn cancel(address: SocketAddr, key: &BackendKey) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&cancel_request(key)).await.unwrap();
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

pub(crate) fn notification(message: &Message) -> (u32, String) {
    let news = Notification::read(&message.payload).unwrap();
    (news.pid, String::from_utf8_lossy(news.text).into_owned())
}

pub(crate) fn rows(messages: &[Message]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for message in messages {
        assert_ne!(
            message.tag,
            b'E',
            "{:?}",
            ErrorFields::read(&message.payload)
        );
        if message.tag == b'D' {
            let row = DataRow::read(&message.payload).unwrap();
            let text = |column| row.text(column).unwrap().unwrap_or("NULL").to_owned();
            rows.push((0..row.len()).map(text).collect());
        }
    }
    rows
}

pub(crate) fn tags(messages: &[Message]) -> String {
    messages
        .iter()
        .map(|message| char::from(message.tag))
        .collect()
}
