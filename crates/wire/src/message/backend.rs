//! Messages a server sends: what Upkeep says to a client in its own voice (login, errors, a changed
//! parameter). Everything else a client reads comes from its server, byte by byte.

use super::{TxStatus, put, put_cstr};

/// The newest protocol version this crate speaks, as NegotiateProtocolVersion states it.
const NEWEST_VERSION: u32 = (3 << 16) | crate::startup::NEWEST_MINOR as u32;

fn authentication(out: &mut Vec<u8>, code: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    put(out, b'R', |b| {
        b.extend(code.to_be_bytes());
        fill(b);
    });
}

pub fn authentication_ok(out: &mut Vec<u8>) {
    authentication(out, 0, |_| ());
}

/// Offers SASL mechanisms, best first.
pub fn authentication_sasl(out: &mut Vec<u8>, mechanisms: &[&str]) {
    authentication(out, 10, |b| {
        for mechanism in mechanisms {
            put_cstr(b, mechanism);
        }
        b.push(0);
    });
}

pub fn authentication_sasl_continue(out: &mut Vec<u8>, data: &[u8]) {
    authentication(out, 11, |b| b.extend_from_slice(data));
}

pub fn authentication_sasl_final(out: &mut Vec<u8>, data: &[u8]) {
    authentication(out, 12, |b| b.extend_from_slice(data));
}

pub fn parameter_status(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    put(out, b'S', |b| {
        put_cstr(b, name);
        put_cstr(b, value);
    });
}

/// The key a client cancels with: 4 secret bytes in protocol 3.0, up to 256 in 3.2.
pub fn backend_key_data(out: &mut Vec<u8>, pid: u32, secret: &[u8]) {
    put(out, b'K', |b| {
        b.extend(pid.to_be_bytes());
        b.extend_from_slice(secret);
    });
}

pub fn ready_for_query(out: &mut Vec<u8>, status: TxStatus) {
    put(out, b'Z', |b| b.push(status.as_byte()));
}

/// Answers a client that asked for a newer minor version or for protocol options.
pub fn negotiate_protocol_version(out: &mut Vec<u8>, unknown_options: &[&str]) {
    put(out, b'v', |b| {
        b.extend(NEWEST_VERSION.to_be_bytes());
        b.extend((unknown_options.len() as u32).to_be_bytes());
        for option in unknown_options {
            put_cstr(b, option);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_dialogue_is_laid_out_as_the_protocol_says() {
        let mut out = Vec::new();
        authentication_sasl(&mut out, &["SCRAM-SHA-256"]);
        assert_eq!(out, b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0");
        out.clear();
        authentication_ok(&mut out);
        backend_key_data(&mut out, 258, &[1, 2, 3, 4]);
        ready_for_query(&mut out, TxStatus::Idle);
        assert_eq!(
            out,
            b"R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\x01\x02\x01\x02\x03\x04Z\0\0\0\x05I"
        );
    }

    #[test]
    fn a_negotiation_states_the_newest_version_and_the_options() {
        let mut out = Vec::new();
        negotiate_protocol_version(&mut out, &["_pq_.x"]);
        assert_eq!(out, b"v\0\0\0\x13\0\x03\0\x02\0\0\0\x01_pq_.x\0");
    }
}
