//! Both sides against each other, and our server against an independent client.

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use proptest::prelude::*;

use super::*;

const SALT: &[u8] = b"0123456789abcdef";
const SERVER_NONCE: &str = "3rfcNHYJY1ZVvWVs7j";

fn verifier(password: &str) -> Verifier {
    Verifier::from_password(password, SALT, 64).unwrap()
}

/// A login by password with an independent client; its own check of our signature included.
fn login_with_password(password: &str, verifier: Verifier) -> Result<Accepted, ScramError> {
    let mut client = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
    let begun = ServerExchange::begin(verifier, client.message(), SERVER_NONCE);
    let (exchange, server_first) = begun?;
    client.update(server_first.as_bytes()).unwrap();
    let accepted = exchange.finish(client.message())?;
    client.finish(accepted.server_final.as_bytes()).unwrap();
    Ok(accepted)
}

fn login_with_keys(keys: ClientKeys, verifier: Verifier) -> Result<Accepted, ScramError> {
    let (client, first) = ClientExchange::begin(keys, "fyko+d2lbbFgONRv9qkxdawL");
    let (exchange, server_first) = ServerExchange::begin(verifier, first.as_bytes(), SERVER_NONCE)?;
    let (client, proof) = client.prove(server_first.as_bytes())?;
    let accepted = exchange.finish(proof.as_bytes())?;
    client.verify(accepted.server_final.as_bytes())?;
    Ok(accepted)
}

#[test]
fn keys_recovered_from_a_login_log_in_again_and_again() {
    let accepted = login_with_password("pencil", verifier("pencil")).unwrap();
    assert!(verifier("pencil").accepts(&accepted.keys));
    let again = login_with_keys(accepted.keys, verifier("pencil")).unwrap();
    login_with_keys(again.keys, verifier("pencil")).unwrap();
}

#[test]
fn a_wrong_password_and_an_unknown_role_fail_alike() {
    let wrong = login_with_password("pen", verifier("pencil")).unwrap_err();
    let mock = Verifier::mock(b"secret", "nobody", 64);
    let unknown = login_with_password("pencil", mock).unwrap_err();
    assert_eq!(
        (wrong, unknown),
        (ScramError::WrongProof, ScramError::WrongProof)
    );
}

#[test]
fn keys_are_worthless_after_the_password_changed() {
    let keys = login_with_password("pencil", verifier("pencil"))
        .unwrap()
        .keys;
    assert!(!verifier("pen").accepts(&keys));
    let refused = login_with_keys(keys, verifier("pen")).unwrap_err();
    assert_eq!(refused, ScramError::WrongProof);
}

#[test]
fn a_server_that_does_not_know_the_verifier_is_found_out() {
    let mut keys = login_with_password("pencil", verifier("pencil"))
        .unwrap()
        .keys;
    keys.server_key = Key::new([0; 32]);
    let refused = login_with_keys(keys, verifier("pencil")).unwrap_err();
    assert_eq!(refused, ScramError::WrongSignature);
}

#[test]
fn the_first_message_may_say_y_but_not_demand_binding() {
    let begin = |first: &str| {
        let begun = ServerExchange::begin(verifier("pencil"), first.as_bytes(), SERVER_NONCE);
        begun.map(|(_, challenge)| challenge)
    };
    assert!(begin("y,,n=,r=abc").unwrap().starts_with("r=abc3rfc"));
    let binding = begin("p=tls-server-end-point,,n=,r=abc");
    assert_eq!(binding, Err(ScramError::ChannelBinding));
    for broken in [
        "",
        "n,",
        "n,a=root,n=,r=abc",
        "n,,r=abc",
        "n,,m=x,n=,r=a",
        "n,,n=,r=",
    ] {
        let refused = begin(broken);
        assert!(
            matches!(refused, Err(ScramError::Malformed { .. })),
            "{broken}"
        );
    }
}

#[test]
fn the_last_message_must_repeat_binding_and_nonce() {
    let finish = |last: &str| {
        let (exchange, _) =
            ServerExchange::begin(verifier("pencil"), b"n,,n=,r=abc", SERVER_NONCE).unwrap();
        exchange.finish(last.as_bytes()).unwrap_err()
    };
    let proof = text::base64(&[0; 32]);
    let malformed = |error| matches!(error, ScramError::Malformed { .. });
    assert!(malformed(finish(&format!(
        "c=eSws,r=abc{SERVER_NONCE},p={proof}"
    ))));
    assert!(malformed(finish(&format!("c=biws,r=abc{SERVER_NONCE}"))));
    assert!(malformed(finish(&format!(
        "c=biws,r=abc{SERVER_NONCE},p=AAAA"
    ))));
    assert_eq!(
        finish(&format!("c=biws,r=abcd,p={proof}")),
        ScramError::Nonce
    );
    let complete = finish(&format!("c=biws,r=abc{SERVER_NONCE},p={proof}"));
    assert_eq!(complete, ScramError::WrongProof);
}

#[test]
fn a_client_refuses_a_strange_nonce_or_a_costly_server() {
    let prove = |server_first: &str| {
        let keys = ClientKeys {
            client_key: Key::new([1; 32]),
            server_key: Key::new([2; 32]),
        };
        let (client, _) = ClientExchange::begin(keys, "abc");
        client.prove(server_first.as_bytes()).map(|_| ())
    };
    assert_eq!(prove("r=abcd,s=AAAA,i=4096"), Ok(()));
    assert_eq!(prove("r=abc,s=AAAA,i=4096"), Err(ScramError::Nonce));
    assert_eq!(prove("r=xyz,s=AAAA,i=4096"), Err(ScramError::Nonce));
    let costly = Err(ScramError::Iterations(1_000_001));
    assert_eq!(prove("r=abcd,s=AAAA,i=1000001"), costly);
    assert!(prove("r=abcd,s=AAAA,i=x").is_err());
}

#[test]
fn keys_are_never_printed() {
    let accepted = login_with_password("pencil", verifier("pencil")).unwrap();
    let printed = format!("{:?}", accepted.keys);
    assert_eq!(
        printed,
        "ClientKeys { client_key: Key(..), server_key: Key(..) }"
    );
}

proptest! {
    #[test]
    fn garbage_from_either_side_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "[nyprscive=,a-z0-9]{0,60}") {
        let pencil = Verifier::mock(b"secret", "nobody", 64);
        for message in [bytes.as_slice(), text.as_bytes()] {
            let _ = ServerExchange::begin(pencil.clone(), message, SERVER_NONCE);
            let (exchange, _) = ServerExchange::begin(pencil.clone(), b"n,,n=,r=abc", SERVER_NONCE).unwrap();
            prop_assert!(exchange.finish(message).is_err());
            let keys = ClientKeys { client_key: Key::new([1; 32]), server_key: Key::new([2; 32]) };
            let (client, _) = ClientExchange::begin(keys.clone(), "abc");
            let _ = client.prove(message);
            let (client, _) = ClientExchange::begin(keys, "abc");
            let (client, _) = client.prove(b"r=abcd,s=AAAA,i=1").unwrap();
            prop_assert!(client.verify(message).is_err());
        }
        let _ = Verifier::parse(&text);
    }
}
