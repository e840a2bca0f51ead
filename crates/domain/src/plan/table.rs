//! Reads a file of plans. What is wrong in it is said with its line, its key, and what is allowed.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::Spanned;

use super::Plan;
use crate::file::{Error, Place};

/// The built-in plans, and the documentation of the format.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Heroku's clients decide by the first word of a name what they let people do.
const FAMILIES: [&str; 5] = ["essential", "standard", "premium", "private", "shield"];
pub(super) const ESSENTIAL: &str = "essential";
const CONNECTIONS: RangeInclusive<u32> = 1..=5_000;
/// PostgreSQL takes less, but nobody would be pleased with it.
const SHARED_BUFFERS_MB: RangeInclusive<u32> = 16..=1_048_576;
const CACHE_MB: RangeInclusive<u32> = 16..=16_777_216;
const WORK_MEM_MB: RangeInclusive<u32> = 1..=1_048_576;
const DISK_GB: RangeInclusive<u32> = 1..=1_048_576;
const TEXT_CHARS_MAX: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    plan: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    title: Spanned<String>,
    description: Spanned<String>,
    connections: Spanned<u32>,
    shared_buffers_mb: Spanned<u32>,
    effective_cache_size_mb: Option<Spanned<u32>>,
    work_mem_mb: Option<Spanned<u32>>,
    disk_gb: Spanned<u32>,
    high_availability: Spanned<bool>,
    followers: Spanned<bool>,
    window: Spanned<bool>,
}

pub(super) fn read(text: &str) -> Result<Vec<Plan>, Error> {
    let place = Place::of(text);
    let file: File = place.parse()?;
    if file.plan.is_empty() {
        return Err(Error {
            line: 1,
            key: None,
            sentence: "there is no plan in it: each begins with a line `[[plan]]`".to_owned(),
        });
    }
    let mut names = HashSet::new();
    let mut plans = Vec::new();
    for entry in file.plan {
        let plan = judge(&place, entry.into_inner(), &mut names)?;
        plans.push(plan);
    }
    Ok(plans)
}

fn text(place: &Place<'_>, key: &str, value: Spanned<String>) -> Result<String, Error> {
    let (span, text) = (value.span(), value.into_inner());
    let length = 1..=TEXT_CHARS_MAX;
    if length.contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    let sentence = format!("1 to {TEXT_CHARS_MAX} characters are allowed, on one line");
    Err(place.error(&span, key, sentence))
}

fn judge(place: &Place<'_>, entry: Entry, names: &mut HashSet<String>) -> Result<Plan, Error> {
    let family = family(place, &entry.name)?;
    if !names.insert(entry.name.get_ref().clone()) {
        let sentence = format!("there is a plan `{}` already", entry.name.get_ref());
        return Err(place.error(&entry.name.span(), "name", sentence));
    }
    if family == ESSENTIAL {
        for (key, value) in [
            ("high_availability", &entry.high_availability),
            ("followers", &entry.followers),
            ("window", &entry.window),
        ] {
            if *value.get_ref() {
                let sentence = "an essential plan has none: only `false` is allowed".to_owned();
                return Err(place.error(&value.span(), key, sentence));
            }
        }
    }
    let optional = |key, value: Option<Spanned<u32>>, allowed| {
        value
            .map(|value| place.number(key, &value, allowed))
            .transpose()
    };
    Ok(Plan {
        name: entry.name.into_inner(),
        title: text(place, "title", entry.title)?,
        description: text(place, "description", entry.description)?,
        connections: place.number("connections", &entry.connections, CONNECTIONS)?,
        shared_buffers_mb: place.number(
            "shared_buffers_mb",
            &entry.shared_buffers_mb,
            SHARED_BUFFERS_MB,
        )?,
        effective_cache_size_mb: optional(
            "effective_cache_size_mb",
            entry.effective_cache_size_mb,
            CACHE_MB,
        )?,
        work_mem_mb: optional("work_mem_mb", entry.work_mem_mb, WORK_MEM_MB)?,
        disk_gb: place.number("disk_gb", &entry.disk_gb, DISK_GB)?,
        high_availability: entry.high_availability.into_inner(),
        followers: entry.followers.into_inner(),
        window: entry.window.into_inner(),
    })
}

/// The first word of the name.
fn family(place: &Place<'_>, name: &Spanned<String>) -> Result<&'static str, Error> {
    let text = name.get_ref();
    let plain = |rest: &str| {
        let symbol = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !rest.is_empty() && rest.chars().all(symbol)
    };
    let found = FAMILIES.into_iter().find(|family| {
        let rest = text
            .strip_prefix(family)
            .and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(plain)
    });
    found.ok_or_else(|| {
        let sentence = format!(
            "`{}` is not allowed: {}, each with a dash and then lower-case letters, digits or dashes, such as `standard-0`",
            text.escape_default(),
            FAMILIES.join(", ")
        );
        place.error(&name.span(), "name", sentence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"[[plan]]
name = "standard-x"
title = "Standard X"
description = "Standard Non-HA"
connections = 20
shared_buffers_mb = 64
disk_gb = 1
high_availability = false
followers = true
window = true
"#;

    #[test]
    fn a_whole_file_is_read() {
        let plans = read(WHOLE).unwrap();
        assert_eq!(plans.len(), 1);
        assert_eq!(
            (plans[0].name.as_str(), plans[0].connections),
            ("standard-x", 20)
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_line_key_and_what_is_allowed() {
        for (from, to, line, key, allowed) in [
            (
                "connections = 20",
                "connections = 0",
                5,
                Some("connections"),
                "1 to 5000",
            ),
            (
                "connections = 20",
                "connections = \"many\"",
                5,
                Some("connections"),
                "expected u32",
            ),
            (
                "connections = 20",
                "conections = 20",
                5,
                Some("conections"),
                "expected one of",
            ),
            (
                "connections = 20\n",
                "",
                1,
                None,
                "missing field `connections`",
            ),
            (
                "standard-x",
                "hobby-dev",
                2,
                Some("name"),
                "essential, standard, premium",
            ),
            (
                "standard-x",
                "standard-",
                2,
                Some("name"),
                "such as `standard-0`",
            ),
            (
                "standard-x",
                "essential-x",
                9,
                Some("followers"),
                "only `false`",
            ),
            ("Standard X", "", 3, Some("title"), "1 to 60 characters"),
            ("disk_gb = 1", "disk_gb = ", 7, Some("disk_gb"), ""),
            ("[[plan]]", "[[plans]]", 1, None, "expected `plan`"),
        ] {
            assert!(WHOLE.contains(from));
            let error = read(&WHOLE.replacen(from, to, 1)).unwrap_err();
            assert_eq!((error.line, error.key.as_deref()), (line, key), "{error}");
            assert!(error.sentence.contains(allowed), "{error}");
        }
        let twice = read(&format!("{WHOLE}{WHOLE}")).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "line 12, `name`: there is a plan `standard-x` already"
        );
        assert!(
            read("# nothing\n")
                .unwrap_err()
                .sentence
                .contains("[[plan]]")
        );
    }
}
