//! House rules that no linter knows, as tests over the text of the checkout. Each names every place
//! that breaks it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use upkeep_testkit::releases_source::checkout;

const LINES_MAX: usize = 500;

/// Folders at the top that are nobody's source.
const SKIPPED: [&str; 3] = [".git", "target", ".upkeep"];

/// A file of the checkout, by its path from there.
struct Source {
    path: Utf8PathBuf,
    text: String,
}

impl Source {
    fn lies_in(&self, places: &[&str]) -> bool {
        places
            .iter()
            .any(|place| self.path.as_str().starts_with(place))
    }

    /// Tests in files and folders of their own, and what only they use.
    fn is_test(&self) -> bool {
        let of_tests = |part: camino::Utf8Component<'_>| part.as_str().starts_with("tests");
        self.path.components().any(of_tests) || self.lies_in(&["crates/testkit/"])
    }

    /// Without the unit tests at its end.
    fn without_tests(&self) -> &str {
        self.text.split("#[cfg(test)]").next().unwrap_or_default()
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(checkout(), &mut found);
    assert!(!found.is_empty(), "the checkout is there");
    found
}

fn walk(folder: &Utf8Path, found: &mut Vec<Source>) {
    for entry in folder
        .read_dir_utf8()
        .expect("a folder of the checkout can be read")
    {
        let path = entry.expect("its entries too").into_path();
        let inside = path
            .strip_prefix(checkout())
            .expect("it lies in the checkout");
        if SKIPPED.contains(&inside.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push(Source {
                path: inside.to_owned(),
                text,
            });
        }
    }
}

fn rust_sources() -> impl Iterator<Item = Source> {
    let rust = |source: &Source| source.path.extension() == Some("rs");
    sources().into_iter().filter(rust)
}

#[track_caller]
fn assert_none(rule: &str, breaches: impl Iterator<Item = String>) {
    let breaches: Vec<String> = breaches.collect();
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    let silent = rust_sources().filter(|source| !source.text.starts_with("//!"));
    assert_none(
        "begins without `//!`",
        silent.map(|source| source.path.to_string()),
    );
}

#[test]
fn no_source_file_is_too_long_to_read() {
    let long = rust_sources().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > LINES_MAX).then(|| format!("{}: {lines} lines", source.path))
    });
    assert_none("longer than 500 lines", long);
}

#[test]
fn only_the_output_prints() {
    let own = [
        "xtask/",
        "crates/upkeep/src/output",
        "crates/upkeep/src/main.rs",
    ];
    let printing = rust_sources().filter(|source| !source.is_test() && !source.lies_in(&own));
    let printing = printing.filter(|source| {
        let text = source.without_tests();
        ["println!(", "print!("]
            .iter()
            .any(|word| text.contains(word))
    });
    assert_none(
        "prints by itself",
        printing.map(|source| source.path.to_string()),
    );
}

#[test]
fn processes_are_started_at_one_site() {
    let own = ["xtask/", "crates/agent/src/command"];
    let others = rust_sources().filter(|source| !source.is_test() && !source.lies_in(&own));
    let starting = others.filter(|source| source.without_tests().contains("process::Command"));
    assert_none(
        "starts processes",
        starting.map(|source| source.path.to_string()),
    );
}

#[test]
fn no_path_of_a_machine_and_no_host_of_a_registry_is_written_down() {
    // In pieces, so that this file does not break its own rule.
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("registry.", "npmjs"),
        concat!("pypi", ".org"),
        concat!("python", "hosted"),
        concat!("deb.", "debian.org"),
    ];
    let breaches = sources().into_iter().flat_map(|source| {
        let lines: Vec<String> = source.text.lines().map(str::to_owned).collect();
        let bad = |line: &String| words.iter().any(|word| line.contains(word));
        let numbered = lines
            .into_iter()
            .enumerate()
            .filter(move |(_, line)| bad(line));
        numbered
            .map(move |(number, line)| format!("{}:{}: {}", source.path, number + 1, line.trim()))
    });
    assert_none("names a machine or a registry", breaches);
}
