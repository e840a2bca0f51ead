//! Splits SQL text into tokens the way PostgreSQL's scanner does, as far as statements need it.
//!
//! Works on bytes because the text may be cut and is in the client's encoding; all delimiters are
//! ASCII. Plain literals are read under `standard_conforming_strings = on`. It judges no grammar.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    QuotedIdentifier,
    /// `'...'` or `N'...'`.
    Literal,
    /// `E'...'`.
    EscapeLiteral,
    /// `B'...'`, `X'...'`, `U&'...'`, `U&"..."`: content not interpreted here.
    OtherQuoted,
    /// `$tag$...$tag$`.
    DollarLiteral,
    Number,
    /// `$1`.
    Parameter,
    Symbol(u8),
    /// A quote or comment that the text does not close.
    Unterminated,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// A keyword; `word` in lower case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word.as_bytes())
    }

    pub(super) fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    /// The name a word or quoted identifier stands for.
    pub(super) fn identifier(&self) -> Option<String> {
        let text = std::str::from_utf8(self.text).ok()?;
        match self.kind {
            Kind::Word => Some(text.to_ascii_lowercase()),
            Kind::QuotedIdentifier => Some(text[1..text.len() - 1].replace("\"\"", "\"")),
            _ => None,
        }
    }

    /// The text a literal stands for; `None` where escapes beyond `\\` and `\'` occur.
    pub(super) fn literal(&self) -> Option<String> {
        let text = std::str::from_utf8(self.text).ok()?;
        let quoted = || Some(&text[text.find('\'')? + 1..text.len() - 1]);
        match self.kind {
            Kind::Literal => Some(quoted()?.replace("''", "'")),
            Kind::EscapeLiteral => unescape(quoted()?),
            Kind::DollarLiteral => std::str::from_utf8(self.dollar_body())
                .ok()
                .map(str::to_owned),
            _ => None,
        }
    }

    /// What stands between the dollar quotes.
    pub(super) fn dollar_body(&self) -> &[u8] {
        let delimiter = self.text[1..].iter().position(|byte| *byte == b'$');
        let delimiter = delimiter.map_or(0, |at| at + 2);
        &self.text[delimiter..self.text.len() - delimiter]
    }
}

fn unescape(quoted: &str) -> Option<String> {
    let mut plain = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => chars.next().filter(|next| matches!(next, '\\' | '\''))?,
            '\'' => chars.next()?,
            other => other,
        });
    }
    Some(plain)
}

/// An iterator of tokens; white space and comments are skipped. Cloning it looks ahead.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Skips white space and comments; false if a comment is not closed.
    fn skip_blanks(&mut self) -> bool {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0, ..] => self.at += 1,
                [b'-', b'-', ..] => self.at += count(self.rest(), |b| b != b'\n' && b != b'\r'),
                [b'/', b'*', ..] => match comment_len(self.rest()) {
                    Some(len) => self.at += len,
                    None => return false,
                },
                _ => return true,
            }
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let closed = self.skip_blanks();
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        let measured = if closed { measure(rest) } else { None };
        let (kind, len) = measured.unwrap_or((Kind::Unterminated, rest.len()));
        let token = Token {
            kind,
            text: &rest[..len],
            start: self.at,
        };
        self.at += len;
        Some(token)
    }
}

/// Kind and length of the token at the front of a non-empty text; `None` if it is not closed.
fn measure(text: &[u8]) -> Option<(Kind, usize)> {
    let quoted = |kind, prefix, quote, escapes| {
        Some((kind, prefix + quoted_len(&text[prefix..], quote, escapes)?))
    };
    match text {
        [b'\'', ..] => quoted(Kind::Literal, 0, b'\'', false),
        [b'"', ..] => quoted(Kind::QuotedIdentifier, 0, b'"', false),
        [b'e' | b'E', b'\'', ..] => quoted(Kind::EscapeLiteral, 1, b'\'', true),
        [b'n' | b'N', b'\'', ..] => quoted(Kind::Literal, 1, b'\'', false),
        [b'b' | b'B' | b'x' | b'X', b'\'', ..] => quoted(Kind::OtherQuoted, 1, b'\'', false),
        [b'u' | b'U', b'&', quote @ (b'\'' | b'"'), ..] => {
            quoted(Kind::OtherQuoted, 2, *quote, false)
        }
        [b'$', b'0'..=b'9', ..] => Some((
            Kind::Parameter,
            1 + count(&text[1..], |b| b.is_ascii_digit()),
        )),
        [b'$', ..] => dollar(text),
        [b'0'..=b'9', ..] => {
            let part = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'_';
            Some((Kind::Number, count(text, part)))
        }
        [first, ..] if is_word_start(*first) => {
            let part = |b: u8| is_word_start(b) || b.is_ascii_digit() || b == b'$';
            Some((Kind::Word, count(text, part)))
        }
        [first, ..] => Some((Kind::Symbol(*first), 1)),
        [] => None,
    }
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn count(text: &[u8], matches: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| matches(**byte)).count()
}

/// Length with both quotes; a doubled quote is content.
fn quoted_len(text: &[u8], quote: u8, escapes: bool) -> Option<usize> {
    let mut at = 1;
    loop {
        match *text.get(at)? {
            b'\\' if escapes => at += 2,
            byte if byte != quote => at += 1,
            _ if text.get(at + 1) == Some(&quote) => at += 2,
            _ => return Some(at + 1),
        }
    }
}

/// A dollar-quoted literal, or a lone `$`.
fn dollar(text: &[u8]) -> Option<(Kind, usize)> {
    let tag = count(&text[1..], |b| is_word_start(b) || b.is_ascii_digit());
    if text.get(tag + 1) != Some(&b'$') {
        return Some((Kind::Symbol(b'$'), 1));
    }
    let delimiter = &text[..tag + 2];
    let body = &text[delimiter.len()..];
    let end = body
        .windows(delimiter.len())
        .position(|window| window == delimiter)?;
    Some((Kind::DollarLiteral, end + 2 * delimiter.len()))
}

/// Length of a comment, which may hold comments.
fn comment_len(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        match text.get(at..)? {
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [] => return None,
            _ => at += 1,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(sql: &str) -> Vec<String> {
        Lexer::new(sql.as_bytes())
            .map(|token| String::from_utf8_lossy(token.text).into_owned())
            .collect()
    }

    #[test]
    fn quotes_and_comments_hide_what_is_inside() {
        let sql = "a '; it''s' E'\\';' /* ; /* ; */ ; */ \"x\"\";\" -- ;\n$t$ ; $$ ; $t$ $1;b$c";
        let expected = [
            "a",
            "'; it''s'",
            "E'\\';'",
            "\"x\"\";\"",
            "$t$ ; $$ ; $t$",
            "$1",
            ";",
            "b$c",
        ];
        assert_eq!(texts(sql), expected);
    }

    #[test]
    fn an_open_quote_or_comment_is_unterminated() {
        for sql in ["'a", "\"a", "E'a\\'", "$$a", "/* /* */", "$t$ $$"] {
            let last = Lexer::new(sql.as_bytes()).last().unwrap();
            assert_eq!(last.kind, Kind::Unterminated, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_tokens_that_go_forward(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut at = 0;
            for token in Lexer::new(&text) {
                prop_assert!(token.start >= at && !token.text.is_empty());
                at = token.end();
                let _ = (token.literal(), token.identifier());
            }
        }

        #[test]
        fn sql_shaped_noise_never_panics(text in "[$'\"E/*ab;.,(\\\\ \n-]{0,60}") {
            for token in Lexer::new(text.as_bytes()) {
                let _ = (token.literal(), token.identifier());
                if token.kind == Kind::DollarLiteral { let _ = token.dollar_body(); }
            }
        }
    }
}
