//! A session that is followed the way a proxy follows it: scanners and tracker beside the socket.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use upkeep_wire::frame::{Capture, MessageBuffer, Scanner};
use upkeep_wire::message::{TxStatus, frontend};
use upkeep_wire::startup::Startup;
use upkeep_wire::tracker::Tracker;

use crate::server::Server;

/// No answer for this long is a failure where an answer is certain.
const CERTAIN: Duration = Duration::from_secs(10);
/// No answer for this long means that the server waits for us.
const QUIET: Duration = Duration::from_millis(3);

pub(crate) struct Session {
    stream: UnixStream,
    pub(crate) tracker: Tracker,
    to_server: Scanner,
    from_server: Scanner,
    capture: Capture,
    /// Types of all non-asynchronous messages from the server.
    pub(crate) heard: String,
}

impl Session {
    /// Logs in by trust.
    pub(crate) fn open(server: &Server) -> Self {
        let mut stream = server.connect();
        let startup = Startup::new("postgres", "postgres");
        stream.write_all(&startup.to_packet(0)).unwrap();
        stream.set_read_timeout(Some(CERTAIN)).unwrap();
        let mut login = MessageBuffer::with_limit(10_000);
        loop {
            match login.next_message().unwrap() {
                Some(message) if message.tag == b'Z' => break,
                Some(message) => assert_ne!(message.tag, b'E'),
                None => {
                    let mut chunk = [0; 4096];
                    let n = stream.read(&mut chunk).unwrap();
                    assert_ne!(n, 0, "login refused");
                    login.push(&chunk[..n]);
                }
            }
        }
        Self {
            stream,
            tracker: Tracker::new(),
            to_server: Scanner::new(),
            from_server: Scanner::new(),
            capture: Capture::new(),
            heard: String::new(),
        }
    }

    /// Sends messages, telling the tracker of each.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let tracker = &mut self.tracker;
        self.to_server
            .scan(bytes, |piece| {
                if piece.ends {
                    tracker.client(piece.tag);
                }
            })
            .unwrap();
        self.stream.write_all(bytes).unwrap();
    }

    /// The verdict a proxy would reach now.
    pub(crate) fn boundary(&self) -> bool {
        self.tracker.boundary() && !self.to_server.mid_message() && !self.from_server.mid_message()
    }

    /// Reads until `done`; false if the server falls quiet first.
    pub(crate) fn read_until(&mut self, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) {
            if !self.read_chunk(QUIET) {
                return false;
            }
        }
        true
    }

    /// Reads until `done`, which must come.
    pub(crate) fn await_server(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            assert!(self.read_chunk(CERTAIN), "no {what} after `{}`", self.heard);
        }
    }

    /// Proves a boundary: a Sync yields one ReadyForQuery with the status the tracker knew, and
    /// nothing else. The answer to a Close marks where that reply ends, so no clock is involved.
    pub(crate) fn prove_boundary(&mut self) -> Result<(), String> {
        let (before, status) = (self.heard.len(), self.tracker.status());
        let mut probe = Vec::new();
        frontend::sync(&mut probe);
        frontend::close(&mut probe, frontend::Target::Statement, "no such statement");
        frontend::sync(&mut probe);
        self.send(&probe);
        let answered = |heard: &str| heard[before..].contains('3') && heard.ends_with('Z');
        while !answered(&self.heard) {
            if !self.read_chunk(CERTAIN) {
                return Err(format!("only `{}`", &self.heard[before..]));
            }
        }
        let reply = &self.heard[before..];
        let known = (status, self.boundary());
        if reply == "Z3Z" && known == (self.tracker.status(), true) {
            Ok(())
        } else {
            Err(format!(
                "`{reply}`, status {status:?}, now {:?}",
                self.tracker
            ))
        }
    }

    fn read_chunk(&mut self, patience: Duration) -> bool {
        self.stream.set_read_timeout(Some(patience)).unwrap();
        // Small, so that messages are cut everywhere and no verdict between two of them is missed.
        let mut chunk = [0; 7];
        let n = match self.stream.read(&mut chunk) {
            Ok(n) => n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return false;
            }
            Err(e) => panic!("read: {e}"),
        };
        assert_ne!(n, 0, "server closed the session after `{}`", self.heard);
        let (tracker, capture, heard) = (&mut self.tracker, &mut self.capture, &mut self.heard);
        self.from_server
            .scan(&chunk[..n], |piece| {
                let limit = usize::from(piece.tag == b'Z');
                if let Some(message) = capture.feed(&piece, limit) {
                    tracker.server(message.tag, message.payload.first().copied());
                    if !matches!(message.tag, b'A' | b'N' | b'S') {
                        heard.push(char::from(message.tag));
                    }
                }
            })
            .unwrap();
        true
    }

    pub(crate) fn query(&mut self, sql: &str) {
        let mut bytes = Vec::new();
        frontend::query(&mut bytes, sql);
        self.send(&bytes);
        self.await_server("ReadyForQuery", Self::boundary);
        assert_eq!(self.tracker.status(), TxStatus::Idle);
    }
}
