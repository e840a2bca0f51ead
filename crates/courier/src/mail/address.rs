//! Addresses of mail, as people give them. Whether there is a mailbox is seen when mail is sent.

use lettre::Address;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no mail address such as ada@example.com")]
pub(crate) struct Error {
    text: String,
}

/// Whether it can be an address of mail.
pub(crate) fn check_address(text: &str) -> Result<(), Error> {
    understood(text).map(|_| ())
}

pub(super) fn understood(text: &str) -> Result<Address, Error> {
    let text = text.to_owned();
    text.parse().map_err(|_| Error { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_address_is_refused_with_a_sentence() {
        for text in ["ada@example.com", "a.b+c@mail.example.com"] {
            assert_eq!(check_address(text), Ok(()));
        }
        for text in [
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com, bob@example.com",
            "Ada <ada@example.com>",
            "ada@example.com\r\nBcc: bob@example.com",
            "ada@exa mple.com",
        ] {
            assert!(check_address(text).is_err(), "{text}");
        }
        assert_eq!(
            check_address("ada").unwrap_err().to_string(),
            "`ada` is no mail address such as ada@example.com"
        );
    }
}
