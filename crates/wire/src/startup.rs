//! The first packet of a connection: it has no type byte and decides what the connection is.
//!
//! Parameters are kept as they came, in order, because they are replayed at every re-dial: settings
//! given here become the session's reset values. `_pq_.*` protocol options are set apart and never
//! passed on. Whether TLS is required, and who may log in, is the caller's decision.

use crate::message::{BackendKey, MessageError, put_cstr, put_with_length};

/// The newest minor version of protocol 3 that clients may use here.
pub const NEWEST_MINOR: u16 = 2;

const MIN_PACKET: usize = 8;
const MAX_PACKET: usize = 10_000;
const PROTOCOL_OPTION: &str = "_pq_.";

const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;

/// Why the first packet is none of PostgreSQL's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StartupError {
    #[error("first packet announces `{0}` bytes, not {MIN_PACKET} to {MAX_PACKET}")]
    Length(u32),
    #[error("protocol version `{major}.{minor}` is not spoken")]
    Version { major: u16, minor: u16 },
    #[error("startup parameter name or terminator is broken")]
    Parameters,
    #[error("startup parameter `{0}` is missing or not UTF-8")]
    Identity(&'static str),
    #[error("cancel request is broken")]
    Cancel(#[source] MessageError),
}

/// What a connection starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstPacket {
    /// Answer `S` and start TLS, or `N`. Bytes already received behind it are an attack.
    SslRequest,
    /// Answer `N`.
    GssEncRequest,
    Cancel(BackendKey),
    Startup(Startup),
}

/// A StartupMessage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    /// The minor version the client asked for; the major one is 3.
    pub requested_minor: u16,
    user: String,
    database: String,
    params: Vec<(String, Vec<u8>)>,
    protocol_options: Vec<String>,
}

/// Reads the first packet and says how many bytes it took; `None` asks for more bytes.
pub fn read_first_packet(input: &[u8]) -> Result<Option<(FirstPacket, usize)>, StartupError> {
    let Some(word) = input.first_chunk::<4>() else {
        return Ok(None);
    };
    let announced = u32::from_be_bytes(*word);
    let length = announced as usize;
    if !(MIN_PACKET..=MAX_PACKET).contains(&length) {
        return Err(StartupError::Length(announced));
    }
    let Some(packet) = input.get(4..length) else {
        return Ok(None);
    };
    let (code, body) = packet.split_at(4);
    let code = u32::from_be_bytes([code[0], code[1], code[2], code[3]]);
    let first = match code {
        SSL_REQUEST => FirstPacket::SslRequest,
        GSSENC_REQUEST => FirstPacket::GssEncRequest,
        CANCEL_REQUEST => BackendKey::read_as("CancelRequest", body)
            .map(FirstPacket::Cancel)
            .map_err(StartupError::Cancel)?,
        version => FirstPacket::Startup(Startup::read(version, body)?),
    };
    Ok(Some((first, length)))
}

/// A CancelRequest packet: the only content of its connection.
pub fn cancel_request(key: &BackendKey) -> Vec<u8> {
    packet(CANCEL_REQUEST, |out| {
        out.extend(key.pid.to_be_bytes());
        out.extend_from_slice(&key.secret);
    })
}

/// An SSLRequest packet, for the hop to a server.
pub fn ssl_request() -> Vec<u8> {
    packet(SSL_REQUEST, |_| ())
}

fn packet(code: u32, fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put_with_length(&mut out, |out| {
        out.extend(code.to_be_bytes());
        fill(out);
    });
    out
}

impl Startup {
    /// A startup of our own (control and test sessions).
    pub fn new(user: &str, database: &str) -> Self {
        Self {
            requested_minor: 0,
            user: user.to_owned(),
            database: database.to_owned(),
            params: vec![
                ("user".to_owned(), user.into()),
                ("database".to_owned(), database.into()),
            ],
            protocol_options: Vec::new(),
        }
    }

    pub fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.into()));
        self
    }

    /// The same client at a database of another name.
    #[must_use]
    pub fn with_database(mut self, name: &str) -> Self {
        self.params.retain(|(key, _)| key != "database");
        name.clone_into(&mut self.database);
        self.with_param("database", name)
    }

    fn read(version: u32, body: &[u8]) -> Result<Self, StartupError> {
        let (major, minor) = ((version >> 16) as u16, version as u16);
        if major != 3 {
            return Err(StartupError::Version { major, minor });
        }
        let (protocol_options, params) = read_params(body)?
            .into_iter()
            .partition::<Vec<_>, _>(|(name, _)| name.starts_with(PROTOCOL_OPTION));
        let user = identity(&params, "user")?.ok_or(StartupError::Identity("user"))?;
        let database = identity(&params, "database")?.unwrap_or_else(|| user.clone());
        Ok(Self {
            requested_minor: minor,
            user,
            database,
            params,
            protocol_options: protocol_options.into_iter().map(|(name, _)| name).collect(),
        })
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    /// The user's name where the client gave none, as PostgreSQL has it.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The value of a parameter; the last one wins, as on the server.
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        let mut given = self.params.iter().rev();
        given
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_slice())
    }

    /// Asks for a replication connection, which is never moved.
    pub fn is_replication(&self) -> bool {
        let negative: [&[u8]; 5] = [b"false", b"off", b"no", b"0", b"f"];
        self.param("replication")
            .is_some_and(|value| !negative.contains(&value.to_ascii_lowercase().as_slice()))
    }

    /// The minor version spoken with this client.
    pub fn minor(&self) -> u16 {
        self.requested_minor.min(NEWEST_MINOR)
    }

    /// How many secret bytes BackendKeyData may carry to this client.
    pub fn cancel_secret_len(&self) -> usize {
        if self.minor() >= 2 { 32 } else { 4 }
    }

    /// The options to list in NegotiateProtocolVersion, if the client must be sent one.
    pub fn negotiation(&self) -> Option<Vec<&str>> {
        let needed = self.requested_minor > NEWEST_MINOR || !self.protocol_options.is_empty();
        needed.then(|| self.protocol_options.iter().map(String::as_str).collect())
    }

    /// The StartupMessage for a server: the client's parameters, without its protocol options.
    pub fn to_packet(&self, minor: u16) -> Vec<u8> {
        packet((3 << 16) | u32::from(minor), |out| {
            for (name, value) in &self.params {
                put_cstr(out, name);
                put_cstr(out, value);
            }
            out.push(0);
        })
    }
}

fn read_params(body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, StartupError> {
    let mut fields = body
        .strip_suffix(b"\0")
        .ok_or(StartupError::Parameters)?
        .split_inclusive(|byte| *byte == 0);
    let mut params = Vec::new();
    while let Some(name) = fields.next() {
        let name = name.strip_suffix(b"\0").ok_or(StartupError::Parameters)?;
        let value = fields.next().and_then(|value| value.strip_suffix(b"\0"));
        let value = value.ok_or(StartupError::Parameters)?;
        let name = std::str::from_utf8(name).map_err(|_| StartupError::Parameters)?;
        if name.is_empty() {
            return Err(StartupError::Parameters);
        }
        params.push((name.to_owned(), value.to_vec()));
    }
    Ok(params)
}

/// `user` or `database` as text; empty counts as not given.
fn identity(
    params: &[(String, Vec<u8>)],
    name: &'static str,
) -> Result<Option<String>, StartupError> {
    let given = params.iter().rev().find(|(key, _)| key == name);
    let value = given.map(|(_, value)| String::from_utf8(value.clone()));
    let value = value
        .transpose()
        .map_err(|_| StartupError::Identity(name))?;
    Ok(value.filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn startup(bytes: &[u8]) -> Startup {
        match read_first_packet(bytes) {
            Ok(Some((FirstPacket::Startup(startup), taken))) => {
                assert_eq!(taken, bytes.len());
                startup
            }
            other => panic!("not a startup: {other:?}"),
        }
    }

    #[test]
    fn a_startup_is_kept_verbatim_without_protocol_options() {
        let asked = Startup::new("ann", "shop")
            .with_param("options", "-c geqo=off")
            .with_param("_pq_.x", "1");
        let read = startup(&asked.to_packet(0));
        assert_eq!((read.user(), read.database()), ("ann", "shop"));
        assert_eq!(read.negotiation(), Some(vec!["_pq_.x"]));
        let kept = Startup::new("ann", "shop").with_param("options", "-c geqo=off");
        assert_eq!(read.to_packet(2), kept.to_packet(2));
    }

    #[test]
    fn a_newer_minor_version_is_negotiated_down() {
        let grease = startup(&Startup::new("ann", "shop").to_packet(9999));
        assert_eq!((grease.minor(), grease.cancel_secret_len()), (2, 32));
        assert_eq!(grease.negotiation(), Some(vec![]));
        let old = startup(&Startup::new("ann", "shop").to_packet(0));
        assert_eq!((old.negotiation(), old.cancel_secret_len()), (None, 4));
    }

    #[test]
    fn the_database_defaults_to_the_user() {
        let read = startup(b"\0\0\0\x12\0\x03\0\0user\0ann\0\0");
        assert_eq!(read.database(), "ann");
        assert!(!read.is_replication());
    }

    #[test]
    fn requests_without_parameters_are_recognised() {
        let (packet, taken) = read_first_packet(&ssl_request()).unwrap().unwrap();
        assert_eq!((packet, taken), (FirstPacket::SslRequest, 8));
        for secret in [4usize, 32, 256] {
            let key = BackendKey {
                pid: 7,
                secret: vec![1; secret],
            };
            let read = read_first_packet(&cancel_request(&key)).unwrap().unwrap().0;
            assert_eq!(read, FirstPacket::Cancel(key));
        }
    }

    #[test]
    fn broken_first_packets_are_refused() {
        let refused = |bytes: &[u8]| read_first_packet(bytes).unwrap_err();
        assert_eq!(refused(b"\0\0\0\x07"), StartupError::Length(7));
        assert_eq!(refused(b"\0\0\x27\x11"), StartupError::Length(10_001));
        assert_eq!(
            refused(b"GET / HTTP/1.1"),
            StartupError::Length(0x4745_5420)
        );
        let version = StartupError::Version { major: 2, minor: 0 };
        assert_eq!(refused(b"\0\0\0\x08\0\x02\0\0"), version);
        assert_eq!(refused(b"\0\0\0\x09\0\x03\0\0x"), StartupError::Parameters);
        let anonymous = StartupError::Identity("user");
        assert_eq!(refused(b"\0\0\0\x09\0\x03\0\0\0"), anonymous);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body in prop::collection::vec(any::<u8>(), 0..200), code in any::<u32>()) {
            let mut bytes = ((body.len() + 8) as u32).to_be_bytes().to_vec();
            bytes.extend(code.to_be_bytes());
            bytes.extend(&body);
            let _ = read_first_packet(&bytes);
            bytes[4..8].copy_from_slice(&[0, 3, 0, 0]);
            let _ = read_first_packet(&bytes);
            let _ = read_first_packet(&body);
        }

        #[test]
        fn an_incomplete_packet_asks_for_more(cut in 0usize..30) {
            let whole = Startup::new("ann", "shop").to_packet(0);
            prop_assert_eq!(read_first_packet(&whole[..cut.min(whole.len() - 1)]), Ok(None));
        }
    }
}
