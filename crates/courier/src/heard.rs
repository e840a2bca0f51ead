//! What the other side said, made fit for a sentence. What it means is judged elsewhere.

const LONGEST: usize = 200;

/// In one line, without control characters, and not too long.
pub(crate) fn one_line(text: &str) -> String {
    let printable = text.replace(|char: char| char.is_control(), " ");
    let line = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_breaks_the_line_or_fills_the_page() {
        assert_eq!(one_line("no\r\n such\u{1b}[31m  box\n"), "no such [31m box");
        assert_eq!(one_line(&"ä".repeat(200)), "ä".repeat(200));
        assert_eq!(one_line(&"ä".repeat(201)), format!("{}…", "ä".repeat(200)));
    }
}
