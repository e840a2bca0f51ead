//! A waiver: a person says that what a check would block does not matter, and why. It is kept.

use serde::{Deserialize, Serialize};

use super::Check;
use crate::refusal::Refusal;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    pub check: Check,
    /// Who said so: the account of the token.
    pub by: String,
    pub because: String,
}

const BECAUSE_CHARS_MAX: usize = 500;

/// Judges a wish to waive the check of this name.
///
/// # Errors
/// There is no such check, it cannot be waived, or no reason was given.
pub fn grant(check: &str, because: &str, by: &str) -> Result<Waiver, Refusal> {
    let waivable = || {
        let names = Check::ALL.into_iter().filter(|check| check.waivable());
        let names: Vec<&str> = names.map(Check::as_str).collect();
        format!("checks that can be waived: {}", names.join(", "))
    };
    let check: Check = check.parse().map_err(|error: super::check::UnknownCheck| {
        Refusal::invalid(error.to_string()).with_hint(waivable())
    })?;
    if !check.waivable() {
        let sentence = format!("the check `{check}` cannot be waived");
        return Err(Refusal::invalid(sentence).with_hint(waivable()));
    }
    let because = because.trim();
    if because.is_empty() || because.chars().count() > BECAUSE_CHARS_MAX {
        let sentence =
            format!("a waiver of `{check}` needs a reason of up to {BECAUSE_CHARS_MAX} characters");
        return Err(Refusal::invalid(sentence).with_hint("say it with --because"));
    }
    Ok(Waiver {
        check,
        by: by.to_owned(),
        because: because.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_names_the_check_the_person_and_the_reason() {
        let waiver = grant("unlogged_tables", " it is a cache ", "ama@example.com").unwrap();
        assert_eq!(waiver.check, Check::UnloggedTables);
        assert_eq!(waiver.because, "it is a cache");
        assert_eq!(waiver.by, "ama@example.com");
    }

    #[test]
    fn what_cannot_be_waived_is_refused_with_what_can() {
        for (check, because) in [
            ("room", "there will be"),
            ("release", "it fits"),
            ("nonsense", "why not"),
        ] {
            let refusal = grant(check, because, "ama").unwrap_err();
            assert!(refusal.sentence.contains(check), "{refusal:?}");
            let hint = refusal.hint.unwrap();
            assert!(hint.contains("unlogged_tables, logical_slots"), "{hint}");
        }
        let refusal = grant("logical_slots", "  ", "ama").unwrap_err();
        assert!(refusal.sentence.contains("needs a reason"), "{refusal:?}");
    }
}
