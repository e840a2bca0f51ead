//! Names of custom settings (`app.tenant_id`) that a text sets for its session: no view lists them.
//!
//! Only names are noted, the value is read from the server later; a name too many costs nothing.
//! Dollar-quoted bodies are looked into. What functions called by the text set is not seen.

use super::contains_ignoring_case;
use super::lexer::{Kind, Lexer, Token};

/// Bodies within bodies are followed this far.
const MAX_DEPTH: u32 = 2;
/// Bounds of the work one hostile text can cause; what lies beyond counts as opaque.
const MAX_CALL_TOKENS: usize = 200;
const MAX_NAMES: usize = 64;

/// What a text sets beyond what `pg_settings` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Dotted names, each once.
    pub names: Vec<String>,
    /// A `set_config` for the session whose name is no literal, or too many names.
    pub opaque: bool,
}

/// Scans a text; does not allocate for one that sets nothing. Of a cut text only the part that is
/// there is judged.
pub fn custom_settings(text: &[u8]) -> Settings {
    let mut settings = Settings::default();
    if contains_ignoring_case(text, b"set") {
        settings.scan(text, 0);
    }
    settings
}

impl Settings {
    fn scan(&mut self, text: &[u8], depth: u32) {
        let mut lexer = Lexer::new(text);
        let mut starts_statement = true;
        while let Some(token) = lexer.next() {
            if starts_statement && token.is_word("set") {
                self.note_set(lexer.clone());
            } else if is_set_config(&token) {
                self.note_call(lexer.clone());
            } else if token.kind == Kind::DollarLiteral && depth < MAX_DEPTH {
                self.scan(token.dollar_body(), depth + 1);
            }
            starts_statement = token.is_symbol(b';') || (depth > 0 && opens_block(&token));
        }
    }

    /// Behind `SET`: `[SESSION | LOCAL] name.name`. LOCAL ends with its transaction.
    fn note_set(&mut self, mut lexer: Lexer<'_>) {
        let Some(first) = lexer.next() else { return };
        let dot_follows = lexer.clone().next().is_some_and(|t| t.is_symbol(b'.'));
        let name = if dot_follows {
            dotted_name(first, lexer)
        } else if first.is_word("session") {
            lexer.next().and_then(|second| dotted_name(second, lexer))
        } else {
            None
        };
        if let Some(name) = name {
            self.note(name);
        }
    }

    /// Behind `set_config`: `(name, value, is_local)`.
    fn note_call(&mut self, mut lexer: Lexer<'_>) {
        if !lexer.next().is_some_and(|token| token.is_symbol(b'(')) {
            return;
        }
        let call = Call::read(lexer);
        if call.is_local {
            return;
        }
        match call.name {
            Some(name) if name.contains('.') => self.note(name),
            // Settings of the server's own are in pg_settings.
            Some(_) => {}
            None => self.opaque = true,
        }
    }

    fn note(&mut self, name: String) {
        if self.names.contains(&name) {
            return;
        }
        if self.names.len() < MAX_NAMES {
            self.names.push(name);
        } else {
            self.opaque = true;
        }
    }
}

/// The arguments of a `set_config` as far as they are literals.
#[derive(Default)]
struct Call {
    name: Option<String>,
    is_local: bool,
}

impl Call {
    fn read(lexer: Lexer<'_>) -> Self {
        let mut call = Self::default();
        let (mut argument, mut depth, mut at_start) = (0, 0u32, true);
        let mut tokens = lexer.take(MAX_CALL_TOKENS).peekable();
        while let Some(token) = tokens.next() {
            let ends = |next: Option<&Token<'_>>| {
                next.is_none_or(|t| matches!(t.kind, Kind::Symbol(b',' | b')' | b':')))
            };
            match token.kind {
                Kind::Symbol(b'(' | b'[') => depth += 1,
                Kind::Symbol(b')' | b']') if depth == 0 => break,
                Kind::Symbol(b')' | b']') => depth -= 1,
                Kind::Symbol(b',') if depth == 0 => {
                    (argument, at_start) = (argument + 1, true);
                    continue;
                }
                _ if at_start && ends(tokens.peek()) => match argument {
                    0 => call.name = token.literal(),
                    2 => call.is_local = is_true(&token),
                    _ => {}
                },
                _ => {}
            }
            at_start = false;
        }
        call
    }
}

fn is_true(token: &Token<'_>) -> bool {
    token.is_word("true") || matches!(token.literal().as_deref(), Some("t" | "true"))
}

fn is_set_config(token: &Token<'_>) -> bool {
    token.is_word("set_config")
        || (token.kind == Kind::QuotedIdentifier && token.text == b"\"set_config\"")
}

/// After these words a statement begins inside a PL/pgSQL body.
fn opens_block(token: &Token<'_>) -> bool {
    ["begin", "then", "else", "loop"]
        .iter()
        .any(|word| token.is_word(word))
}

/// `first` and what follows it, if that is a name with at least one dot.
fn dotted_name(first: Token<'_>, mut lexer: Lexer<'_>) -> Option<String> {
    let mut name = first.identifier()?;
    let mut dots = 0;
    while lexer.next().is_some_and(|token| token.is_symbol(b'.')) {
        name.push('.');
        name.push_str(&lexer.next()?.identifier()?);
        dots += 1;
    }
    (dots > 0).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        let settings = custom_settings(sql.as_bytes());
        assert!(!settings.opaque, "{sql}");
        settings.names
    }

    #[test]
    fn set_names_are_found_where_a_statement_begins() {
        assert_eq!(names("SET app.tenant_id = '42'"), ["app.tenant_id"]);
        assert_eq!(names("/* x */ set SESSION App.\"X y\" to 1"), ["app.X y"]);
        assert_eq!(
            names("select 1; set a.b=1; set a.b=2; set c.d.e=3"),
            ["a.b", "c.d.e"]
        );
        assert_eq!(names("set local.x = 1"), ["local.x"]);
    }

    #[test]
    fn what_is_no_custom_session_setting_is_left_alone() {
        for sql in [
            "SET work_mem='5MB'",
            "SET LOCAL app.x = 1",
            "SET SESSION AUTHORIZATION bob",
            "UPDATE t SET a.b = 1",
            "SELECT 'set app.x = 1'; -- set a.b = 1",
            "SELECT set_config('work_mem', '5MB', false)",
            "SELECT set_config($1, $2, true)",
            "SELECT reset, offset FROM set_config",
            "",
        ] {
            assert_eq!(names(sql), Vec::<String>::new(), "{sql}");
        }
    }

    #[test]
    fn set_config_is_read_wherever_it_is_called() {
        let sql = "select pg_catalog.set_config('app.a', f(1, 2), false), SET_CONFIG(E'app.b'::text,'',false)";
        assert_eq!(names(sql), ["app.a", "app.b"]);
        let body = "DO $x$ BEGIN PERFORM set_config('app.c','1',false); SET app.d = 1; END $x$";
        assert_eq!(names(body), ["app.c", "app.d"]);
    }

    #[test]
    fn a_name_that_is_no_literal_is_opaque() {
        for sql in [
            "select set_config($1, $2, false)",
            "select set_config('app.' || x, '1', false)",
            "select set_config(name, value, local) from t",
            "select set_config(",
        ] {
            assert!(custom_settings(sql.as_bytes()).opaque, "{sql}");
        }
    }

    #[test]
    fn a_hostile_text_is_bounded_and_opaque() {
        assert!(custom_settings("set_config(".repeat(5000).as_bytes()).opaque);
        let many: Vec<_> = (0..100).map(|i| format!("set a.b{i} = 1")).collect();
        let settings = custom_settings(many.join(";").as_bytes());
        assert!(settings.opaque && settings.names.len() == MAX_NAMES);
    }
}
