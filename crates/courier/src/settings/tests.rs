//! What a notices file may say, and what is said of one that is wrong.

use super::*;

const SENDER: &str = "from = \"upkeep@example.com\"\n";

#[test]
fn the_example_is_understood() {
    let settings = Settings::read(EXAMPLE).unwrap();
    let mail = settings.mail.unwrap();
    assert_eq!(mail.from.to_string(), "Upkeep <upkeep@example.com>");
    assert_eq!((mail.host.as_str(), mail.port), ("mail.example.com", 587));
    assert_eq!(mail.encryption, Encryption::Starttls);
    assert_eq!(mail.login.unwrap().user, "upkeep");
    assert!(settings.allowed.judge("10.1.2.3".parse().unwrap()).is_ok());
}

#[test]
fn what_is_left_out_is_as_the_example_says() {
    assert_eq!(Settings::read(""), Ok(Settings::default()));
    for (said, encryption, port) in [
        ("host = \"mail.example.com\"", Encryption::Starttls, 587),
        (
            "host = \"mail.example.com\"\ntls = \"tls\"",
            Encryption::Tls,
            465,
        ),
        ("host = \"127.0.0.9\"\ntls = \"none\"", Encryption::None, 25),
        (
            "host = \"::1\"\ntls = \"none\"\nport = 26",
            Encryption::None,
            26,
        ),
    ] {
        let settings = Settings::read(&format!("{SENDER}[smtp]\n{said}")).unwrap();
        let mail = settings.mail.unwrap();
        assert_eq!((mail.encryption, mail.port), (encryption, port), "{said}");
        assert_eq!((mail.login, mail.ca_file), (None, None));
    }
}

#[test]
fn what_is_wrong_is_said_with_line_key_and_what_is_allowed() {
    for (text, told) in [
        (
            "from = \"Upkeep\"",
            "line 1, `from`: `Upkeep` is no sender such as Upkeep <upkeep@example.com>",
        ),
        (
            "[hooks]\nallow = [\n  \"10.0.0.0/8\",\n  \"ten\",\n]",
            "line 4, `allow`: `ten` is no network such as 10.1.2.0/24 and no address",
        ),
        (
            "\n[smtp]\nhost = \"localhost\"",
            "line 2, `from`: it is missing: mail needs a sender, such as from = \"upkeep@example.com\"",
        ),
    ] {
        assert_eq!(Settings::read(text).unwrap_err().to_string(), told);
    }
    for (smtp, told) in [
        (
            "host = \"smtp://mail\"",
            "line 3, `host`: `smtp://mail` is no host such as mail.example.com",
        ),
        (
            "host = \"mail\"\ntls = \"none\"",
            "line 4, `tls`: \"none\" is for a mail server on this machine, and mail may be another: \
             say \"starttls\" or \"tls\"",
        ),
        (
            "host = \"mail\"\nport = 0",
            "line 4, `port`: 0 is not allowed: 1 to 65535",
        ),
        (
            "host = \"mail\"\nuser = \"upkeep\"",
            "line 4, `user`: it needs a password_file beside it",
        ),
        (
            "host = \"mail\"\npassword_file = \"/p\"",
            "line 4, `password_file`: it needs a user beside it",
        ),
    ] {
        let text = format!("{SENDER}[smtp]\n{smtp}");
        assert_eq!(Settings::read(&text).unwrap_err().to_string(), told);
    }
    for (text, line, word) in [
        ("sender = \"x\"", 1, "unknown field"),
        (
            "[smtp]\nhost = \"mail\"\npasswort = \"x\"",
            3,
            "password_file",
        ),
        ("[smtp]\nhost = \"mail\"\ntls = \"ssl\"", 3, "starttls"),
        ("[smtp]\nport = 25", 1, "host"),
        ("[hooks]\nallow = \"10.0.0.0/8\"", 2, "expected a sequence"),
    ] {
        let error = Settings::read(text).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.sentence.contains(word), "{error}");
    }
}
