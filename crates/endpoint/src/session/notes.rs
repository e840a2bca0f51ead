//! What no server can say afterwards, noted while it goes by: the last unnamed Parse, names of
//! custom settings, and whether a write was acknowledged. Everything else is asked later.

use upkeep_wire::frame::Captured;
use upkeep_wire::message::frontend::{ParseHead, query_text};
use upkeep_wire::sql_text::custom_settings;

/// A longer unnamed statement is not kept: whoever parses it in one cycle and binds it in another
/// across a move must parse it again.
const UNNAMED_LIMIT: usize = 64 * 1024;
/// More names than this are an attack, or will never be read back one by one.
const NAMES_LIMIT: usize = 100;
/// How far into a text names are looked for.
const SCAN_LIMIT: usize = 4096;

#[derive(Default)]
pub(super) struct Notes {
    /// The payload of the last unnamed Parse, as it came.
    unnamed: Vec<u8>,
    /// The last unnamed Parse was too long for it.
    pub(super) unnamed_lost: bool,
    /// Custom settings that this session was seen to set.
    pub(super) names: Vec<String>,
    /// It sets settings whose names its text does not show.
    pub(super) opaque: bool,
    copying_in: bool,
    copying_out: bool,
    wrote: bool,
}

impl Notes {
    /// How much of a client message's payload is looked at.
    pub(super) fn wanted(tag: u8) -> usize {
        match tag {
            b'P' => UNNAMED_LIMIT,
            b'Q' => SCAN_LIMIT,
            _ => 0,
        }
    }

    /// A Parse or Query; answers with names not seen in this session before.
    pub(super) fn client_text(&mut self, captured: &Captured<'_>) -> Vec<String> {
        let text = match captured.tag {
            b'P' => match ParseHead::read(captured.payload) {
                Ok(head) => {
                    self.note_parse(head.name, captured);
                    head.text
                }
                Err(_) => return Vec::new(),
            },
            _ => {
                // A simple Query destroys the unnamed statement.
                self.unnamed.clear();
                self.unnamed_lost = false;
                query_text(captured.payload)
            }
        };
        let settings = custom_settings(&text[..text.len().min(SCAN_LIMIT)]);
        self.opaque |= settings.opaque;
        let is_new = |name: &String| !self.names.contains(name);
        let mut fresh: Vec<_> = settings.names.into_iter().filter(is_new).collect();
        let room = NAMES_LIMIT - self.names.len();
        self.opaque |= fresh.len() > room;
        fresh.truncate(room);
        self.names.extend(fresh.iter().cloned());
        fresh
    }

    fn note_parse(&mut self, name: &[u8], captured: &Captured<'_>) {
        if !name.is_empty() {
            return;
        }
        self.unnamed.clear();
        self.unnamed_lost = !captured.is_whole();
        if captured.is_whole() {
            self.unnamed.extend_from_slice(captured.payload);
        }
    }

    pub(super) fn unnamed(&self) -> Option<&[u8]> {
        (!self.unnamed.is_empty()).then_some(&self.unnamed)
    }

    pub(super) fn copy_in_begins(&mut self) {
        self.copying_in = true;
    }

    pub(super) fn copy_out_begins(&mut self) {
        self.copying_out = true;
    }

    /// Rows are on their way, to the server or from it.
    pub(super) fn copies(&self) -> bool {
        self.copying_in || self.copying_out
    }

    /// A CommandComplete payload.
    pub(super) fn command_completes(&mut self, tag: &[u8]) {
        self.copying_out = false;
        let is = |word: &[u8]| tag.starts_with(word);
        if is(b"COPY ") {
            self.wrote |= std::mem::take(&mut self.copying_in);
        } else if is(b"INSERT ") || is(b"UPDATE ") || is(b"DELETE ") || is(b"MERGE ") {
            self.wrote |= !tag.ends_with(b" 0\0");
        } else if is(b"ROLLBACK") {
            self.wrote = false;
        }
    }

    pub(super) fn statement_fails(&mut self) {
        (self.wrote, self.copying_in, self.copying_out) = (false, false, false);
    }

    /// Idle again: whether something was written since it was last so.
    pub(super) fn take_write(&mut self) -> bool {
        std::mem::take(&mut self.wrote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(tag: u8, payload: &[u8]) -> Captured<'_> {
        Captured {
            tag,
            payload,
            len: payload.len() as u32,
        }
    }

    #[test]
    fn the_last_unnamed_parse_is_kept_until_a_simple_query() {
        let mut notes = Notes::default();
        notes.client_text(&captured(b'P', b"\0select 1\0\0\0"));
        notes.client_text(&captured(b'P', b"s1\0select 2\0\0\0"));
        assert_eq!(notes.unnamed(), Some(&b"\0select 1\0\0\0"[..]));
        notes.client_text(&captured(b'Q', b"select 3\0"));
        assert_eq!(notes.unnamed(), None);
    }

    #[test]
    fn an_unnamed_parse_that_is_too_long_is_lost_until_the_next_one() {
        let mut notes = Notes::default();
        let mut cut = captured(b'P', b"\0select 1\0\0\0");
        cut.len = 100_000;
        notes.client_text(&cut);
        assert!(notes.unnamed_lost && notes.unnamed().is_none());
        notes.client_text(&captured(b'P', b"s1\0select 2\0\0\0"));
        assert!(notes.unnamed_lost);
        notes.client_text(&captured(b'P', b"\0select 3\0\0\0"));
        assert!(!notes.unnamed_lost && notes.unnamed().is_some());
    }

    #[test]
    fn a_name_is_new_once() {
        let mut notes = Notes::default();
        let set = captured(b'Q', b"SET app.tenant = 1\0");
        assert_eq!(notes.client_text(&set), ["app.tenant"]);
        assert!(notes.client_text(&set).is_empty());
    }

    #[test]
    fn only_what_was_written_and_not_undone_counts() {
        let mut notes = Notes::default();
        notes.command_completes(b"SELECT 1\0");
        notes.command_completes(b"UPDATE 0\0");
        notes.command_completes(b"COPY 5\0");
        assert!(!notes.take_write());
        notes.command_completes(b"INSERT 0 1\0");
        notes.command_completes(b"COMMIT\0");
        assert!(notes.take_write());
        notes.copy_in_begins();
        notes.command_completes(b"COPY 5\0");
        assert!(notes.take_write());
        notes.command_completes(b"DELETE 3\0");
        notes.command_completes(b"ROLLBACK\0");
        assert!(!notes.take_write());
    }
}
