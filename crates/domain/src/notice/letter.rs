//! A letter: words for people, in parts, so that text and HTML say the same.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Columns of plain text.
const WIDTH: usize = 78;

/// Every part is one line without control characters: nothing that people typed can forge a header or
/// another part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub subject: String,
    /// Paragraphs.
    pub says: Vec<String>,
    #[serde(default)]
    pub obstacles: Vec<Obstacle>,
    pub facts: Vec<Fact>,
    pub errands: Vec<Errand>,
    pub appointment: Option<Appointment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// Something that could delay what is planned, or stand in its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    pub seen: String,
    pub todo: Option<String>,
}

/// What people can do, and the command for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    pub purpose: String,
    pub command: String,
}

/// For people's calendars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The same for every letter about the maintenance.
    pub uid: String,
    /// A higher one takes the place of those before.
    pub revision: i64,
    pub begins: Timestamp,
    pub ends: Timestamp,
    pub summary: String,
    /// It will not be.
    pub cancelled: bool,
}

impl Letter {
    /// As text: what mail programs without HTML show, and `upkeep notices:info`.
    pub fn plain(&self) -> String {
        let mut text = String::new();
        for paragraph in &self.says {
            let _ = writeln!(text, "{}\n", wrapped(paragraph, ""));
        }
        for Obstacle { seen, todo } in &self.obstacles {
            let _ = writeln!(text, "- {}", wrapped(seen, "  "));
            if let Some(todo) = todo {
                let _ = writeln!(text, "  {}", wrapped(&format!("To do: {todo}"), "  "));
            }
            text.push('\n');
        }
        let widest = self.facts.iter().map(|fact| fact.name.chars().count());
        let width = widest.max().unwrap_or(0) + 2;
        for Fact { name, value } in &self.facts {
            let _ = writeln!(text, "{:width$}{value}", format!("{name}:"));
        }
        for Errand { purpose, command } in &self.errands {
            let _ = write!(text, "\n{purpose}:\n    {command}\n");
        }
        text
    }
}

/// Broken between words; a word that is longer than a line stays whole. The first line is indented by
/// whoever asks.
fn wrapped(paragraph: &str, indent: &str) -> String {
    let width = WIDTH - indent.len();
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the start");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join(&format!("\n{indent}"))
}

/// Without line breaks and other control characters.
pub fn one_line(text: &str) -> String {
    let printable = text.replace(|char: char| char.is_control(), " ");
    printable.trim().to_owned()
}
