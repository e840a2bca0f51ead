//! Cuts one `PREPARE` out of the string it was sent in.
//!
//! The server remembers the whole string, which must not be replayed for the sake of one statement.
//! Where the cut could be wrong the answer is `None`, and the session stays where it is.

use super::lexer::{Kind, Lexer, Token};

/// The one statement of `text` that prepares `name`, without its semicolon.
pub fn cut_prepare<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let statements = statements(text)?;
    let several = statements.len() > 1;
    let mut cuts = statements.iter().filter(|tokens| prepares(tokens, name));
    let (Some(tokens), None) = (cuts.next(), cuts.next()) else {
        return None;
    };
    if several && statements.iter().flatten().any(depends_on_string_setting) {
        return None;
    }
    text.get(tokens.first()?.start..tokens.last()?.end())
}

/// The tokens of each statement; `None` if a statement's end is uncertain.
fn statements(text: &str) -> Option<Vec<Vec<Token<'_>>>> {
    let mut statements = vec![Vec::new()];
    let mut depth = 0u32;
    for token in Lexer::new(text.as_bytes()) {
        match token.kind {
            Kind::Unterminated => return None,
            Kind::Symbol(b'(') => depth += 1,
            Kind::Symbol(b')') => depth = depth.checked_sub(1)?,
            Kind::Symbol(b';') if depth == 0 => {
                statements.push(Vec::new());
                continue;
            }
            // The body of an SQL function holds semicolons that end nothing.
            Kind::Word if token.is_word("atomic") => return None,
            _ => {}
        }
        statements.last_mut()?.push(token);
    }
    statements.retain(|tokens| !tokens.is_empty());
    Some(statements)
}

fn prepares(tokens: &[Token<'_>], name: &str) -> bool {
    let [prepare, given, rest @ ..] = tokens else {
        return false;
    };
    let two_phase = given.is_word("transaction") && rest.first().is_some_and(is_literal);
    prepare.is_word("prepare") && !two_phase && given.identifier().as_deref() == Some(name)
}

fn is_literal(token: &Token<'_>) -> bool {
    matches!(
        token.kind,
        Kind::Literal | Kind::EscapeLiteral | Kind::OtherQuoted
    )
}

/// With `standard_conforming_strings = off` such a literal could end elsewhere.
fn depends_on_string_setting(token: &Token<'_>) -> bool {
    token.kind == Kind::Literal && token.text.contains(&b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_statement_is_cut_out() {
        let text = "PREPARE p2 AS SELECT 2; SELECT 3";
        assert_eq!(cut_prepare(text, "p2"), Some("PREPARE p2 AS SELECT 2"));
        let text = "select ';'; /* ; */ prepare \"We\"\"ird\" (int) as select $1, $$;$$ ;";
        assert_eq!(
            cut_prepare(text, "We\"ird"),
            Some("prepare \"We\"\"ird\" (int) as select $1, $$;$$")
        );
        assert_eq!(
            cut_prepare("PREPARE Abc AS SELECT 1", "abc"),
            Some("PREPARE Abc AS SELECT 1")
        );
        assert_eq!(
            cut_prepare("prepare žluť as select 'ů'; x", "žluť"),
            Some("prepare žluť as select 'ů'")
        );
    }

    #[test]
    fn an_uncertain_cut_is_none() {
        for text in [
            "SELECT 1",
            "PREPARE q AS SELECT 1",
            "PREPARE p AS SELECT 1; PREPARE p AS SELECT 2",
            "PREPARE p AS SELECT 'open",
            "PREPARE p AS SELECT 'a\\'; SELECT 2",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; PREPARE p AS SELECT 1",
            "PREPARE p AS SELECT 1); SELECT (2",
        ] {
            assert_eq!(cut_prepare(text, "p"), None, "{text}");
        }
        assert_eq!(cut_prepare("PREPARE TRANSACTION 'x'", "transaction"), None);
    }

    #[test]
    fn a_lone_statement_may_hold_backslashes() {
        let text = "PREPARE p AS SELECT '%\\%'";
        assert_eq!(cut_prepare(text, "p"), Some(text));
    }
}
