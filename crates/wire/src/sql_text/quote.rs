//! Quoting for the statements Upkeep builds itself.

/// `name` as an identifier, always quoted.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `text` as a literal that means the same whatever `standard_conforming_strings` says.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        // The blank keeps the E from joining a word before it, as PostgreSQL's own quoting does.
        format!(" E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::{Kind, Lexer};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quoting_follows_the_server() {
        assert_eq!(quote_identifier("we \"ird"), "\"we \"\"ird\"");
        assert_eq!(quote_literal("it's"), "'it''s'");
        assert_eq!(quote_literal("a\\'b"), " E'a\\\\''b'");
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_one_token_that_means_the_text(text in "[^\0]{0,20}") {
            let literal = quote_literal(&text);
            let tokens: Vec<_> = Lexer::new(literal.as_bytes()).collect();
            prop_assert_eq!(tokens.len(), 1);
            let content = tokens[0].literal().unwrap();
            prop_assert_eq!(content, text.clone());
            let identifier = quote_identifier(&text);
            let tokens: Vec<_> = Lexer::new(identifier.as_bytes()).collect();
            prop_assert_eq!(tokens.len(), 1);
            prop_assert_eq!(tokens[0].kind, Kind::QuotedIdentifier);
            prop_assert_eq!(tokens[0].identifier(), Some(text));
        }
    }
}
