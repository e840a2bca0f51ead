//! What people and programs see: the only site that writes to stdout and stderr.
//!
//! stdout is data, stderr is talk. Whoever reads stdout may stop reading whenever he likes.

mod amounts;
mod live;
mod pairs;
mod table;
mod verdict;

use std::fmt::Display;
use std::future::Future;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde_json::json;

use crate::exit::{Exit, Failure};

pub use live::{Drawing, LiveView};
pub use pairs::{Pair, render_pairs};
pub use table::render_table;
pub use verdict::{forecast_of, render_verdict, settings_of, steps_of, took_of};

pub struct Output {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// stderr is a terminal, where lines may be written anew.
    terminal: bool,
    json: bool,
    /// A result was printed.
    said_result: bool,
}

impl Output {
    pub fn standard(json: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            terminal,
            json,
            said_result: false,
        }
    }

    /// For transcripts: no terminal.
    pub fn captured(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, json: bool) -> Self {
        Self {
            out,
            err,
            terminal: false,
            json,
            said_result: false,
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The result: as JSON if that was asked for, otherwise as `text` says it.
    pub fn result<T: Serialize + ?Sized>(&mut self, value: &T, text: impl FnOnce(&T) -> String) {
        self.said_result = true;
        if self.json {
            let line =
                serde_json::to_string(value).expect("bodies have string keys and no failing parts");
            self.data(&line);
        } else {
            let text = text(value);
            if !text.is_empty() {
                self.data(&text);
            }
        }
    }

    /// The result when it is a list: `nothing` is said if it is empty, and no table is drawn.
    pub fn list<T: Serialize>(
        &mut self,
        list: &[T],
        nothing: &str,
        text: impl FnOnce(&[T]) -> String,
    ) {
        if list.is_empty() {
            self.say(nothing);
            self.result(list, |_| String::new());
        } else {
            self.result(list, text);
        }
    }

    /// One piece of data, on stdout.
    pub fn data(&mut self, text: &str) {
        write_or_leave(&mut self.out, format_args!("{text}\n"));
    }

    /// One piece of talk, on stderr.
    pub fn say(&mut self, text: &str) {
        write_or_leave(&mut self.err, format_args!("{text}\n"));
    }

    /// As it is, on stderr: for what moves the cursor.
    pub fn draw(&mut self, text: &str) {
        write_or_leave(&mut self.err, format_args!("{text}"));
    }

    /// `Creating app... done`, or `... !` when it fails.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn doing<T, E: Into<Failure>>(
        &mut self,
        what: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        self.draw(&format!("{what}... "));
        let result = work.await.map_err(Into::into);
        self.say(if result.is_ok() { "done" } else { "!" });
        result
    }

    /// For people on stderr. For programs, where there is no result, an object on stdout as well.
    pub fn fail(&mut self, failure: &Failure) -> Exit {
        self.say(&render_failure(failure));
        if self.json && !self.said_result {
            let object = json!({
                "error": failure.sentence,
                "hint": failure.hint,
                "exit_code": failure.exit as u8,
            });
            self.data(&object.to_string());
        }
        failure.exit
    }
}

/// How a failure begins, and how its further lines do.
const ERROR: &str = " ›   Error: ";
const MORE: &str = "\n ›   ";
const HINT: &str = "\n\nhint: ";

fn render_failure(failure: &Failure) -> String {
    let mut text = format!("{ERROR}{}", failure.sentence.replace('\n', MORE));
    if let Some(hint) = &failure.hint {
        text.push_str(HINT);
        text.push_str(hint);
    }
    text
}

/// The last failure in what a program of ours has said; `exit` is how it ended.
pub(crate) fn last_failure(said: &str, exit: Exit) -> Option<Failure> {
    let (_, last) = said.rsplit_once(ERROR)?;
    let (sentence, hint) = match last.trim_end().split_once(HINT) {
        Some((sentence, hint)) => (sentence, Some(hint.to_owned())),
        None => (last.trim_end(), None),
    };
    Some(Failure {
        exit,
        sentence: sentence.replace(MORE, "\n"),
        hint,
    })
}

/// A reader that has gone is no failure of ours, and no reason to stop what was begun.
fn write_or_leave(to: &mut dyn Write, text: impl Display) {
    if let Err(error) = write!(to, "{text}").and_then(|()| to.flush()) {
        tracing::debug!(%error, "output is not read any more");
    }
}

#[cfg(test)]
mod tests;
