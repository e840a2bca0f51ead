//! Questions about SQL text that no server can answer afterwards.
//!
//! Answered by a tokeniser that knows quotes, dollar quotes and nested comments, not by a parser.
//! Each answer errs to the side that keeps a session where it is, or that notes a name too many.

mod lexer;
mod prepare;
mod quote;
mod settings;

pub use prepare::cut_prepare;
pub use quote::{quote_identifier, quote_literal};
pub use settings::{Settings, custom_settings};

/// Whether a text speaks of `lastval` or `currval`, in whatever role: their values live in one
/// backend only. Bytes, for the text may be cut and is in the client's encoding.
pub fn mentions_lastval(text: &[u8]) -> bool {
    contains_ignoring_case(text, b"lastval") || contains_ignoring_case(text, b"currval")
}

/// Substring search; `needle` in lower case.
fn contains_ignoring_case(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lastval_is_found_in_any_case_and_place() {
        assert!(mentions_lastval(
            b"INSERT INTO t DEFAULT VALUES; SELECT LastVal()"
        ));
        assert!(mentions_lastval(b"select currval('s')"));
        assert!(!mentions_lastval(b"select last_value from s"));
        assert!(!mentions_lastval(b""));
    }
}
