//! What minor releases demand of whoever skips them, and which are not to be used: a catalogue that
//! is written by hand from the release notes and is part of the program.
//!
//! It knows what to look for and why. Looking is the agent's; what was found is judged in
//! [`crate::preflight`].

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::Version;

const MINORS: &str = include_str!("knowledge/minors.toml");

static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| toml::from_str(MINORS).expect("a test reads the catalogue"));

/// Looks for one kind of object, by a query that only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detector {
    /// Stands for every index: nothing tells which ones are meant.
    AnyIndex,
    BrinIndex,
    BrinBloomIndex,
    BrinMinmaxMultiNumericIndex,
    BrinMinmaxMultiTimeIndex,
    BtreeBpcharIndex,
    BtreeGistIndex,
    BtreeIntervalIndex,
    DetachedForeignKey,
    /// Libraries in C that PostgreSQL itself does not bring.
    ForeignLibrary,
    GinIndex,
    GinRowEstimate,
    GistIndex,
    IncrementalBackup,
    JsonStripNulls,
    LtreeBtreeIndex,
    LtreeGistIndex,
    LtreeIndex,
    OutputPlugin,
    Pgcrypto,
    SelfReferencingForeignKey,
    StatisticsViews,
    TextIndexUnderCCtype,
    TrigramGistIndex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Knowledge {
    unread: Vec<Unread>,
    demand: Vec<DemandEntry>,
    withdrawn: Vec<Withdrawn>,
    no_holes: Vec<NoHoles>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unread {
    minors: Vec<Version>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemandEntry {
    since: Vec<Version>,
    find: Detector,
    because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawn {
    minors: Vec<Version>,
    because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoHoles {
    minors: Vec<Version>,
}

/// What one skipped minor demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    pub minor: Version,
    pub detector: Detector,
    pub because: &'static str,
}

/// The page of the release notes.
pub fn notes(minor: Version) -> String {
    let Version { major, minor } = minor;
    format!("https://www.postgresql.org/docs/{major}/release-{major}-{minor}.html")
}

/// What has to be looked after when `from` becomes `to`, in the order of the minors.
pub fn demands(from: Version, to: Version) -> Vec<Demand> {
    let mut all: Vec<Demand> = KNOWLEDGE
        .demand
        .iter()
        .flat_map(|entry| {
            let skipped = entry.since.iter().filter(|&&minor| skips(from, to, minor));
            skipped.map(|&minor| Demand {
                minor,
                detector: entry.find,
                because: &entry.because,
            })
        })
        .collect();
    all.sort_by_key(|demand| demand.minor);
    all
}

/// Skipped minors of which the catalogue does not know everything: some whose notes were not at
/// hand, and the target if it is newer than all that is known of its major.
pub fn unread(from: Version, to: Version) -> Vec<Version> {
    let named = KNOWLEDGE.unread.iter().flat_map(|unread| &unread.minors);
    let mut all: Vec<Version> = named
        .copied()
        .filter(|&minor| skips(from, to, minor))
        .collect();
    if skips(from, to, to) && newest_known(to.major).is_none_or(|known| to > known) {
        all.push(to);
    }
    all
}

/// Why this release is not to be used, if it is not.
pub fn withdrawn(version: Version) -> Option<&'static str> {
    let entries = KNOWLEDGE.withdrawn.iter();
    let mut meant = entries.filter(|entry| entry.minors.contains(&version));
    meant.next().map(|entry| entry.because.as_str())
}

/// Security holes are closed on the way: by every minor but those that are known to close none.
pub fn closes_holes(from: Version, to: Version) -> bool {
    let none = KNOWLEDGE.no_holes.iter().flat_map(|entry| &entry.minors);
    let none: Vec<&Version> = none.collect();
    let on_the_way = (from.minor + 1..=to.minor).map(|minor| Version::new(to.major, minor));
    from.major == to.major && { on_the_way }.any(|minor| !none.contains(&&minor))
}

/// Minors are skipped when data written under an older one is read by a newer one.
fn skips(from: Version, to: Version, minor: Version) -> bool {
    from.major == to.major && from < minor && minor <= to
}

fn newest_known(major: u16) -> Option<Version> {
    let demanding = KNOWLEDGE.demand.iter().flat_map(|entry| &entry.since);
    let unread = KNOWLEDGE.unread.iter().flat_map(|unread| &unread.minors);
    let of_major = |version: &&Version| version.major == major;
    demanding.chain(unread).filter(of_major).max().copied()
}

#[cfg(test)]
mod tests {
    use super::Detector::*;
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn found(from: &str, to: &str) -> Vec<(String, Detector)> {
        let demands = demands(version(from), version(to));
        let pair = |demand: Demand| (demand.minor.to_string(), demand.detector);
        demands.into_iter().map(pair).collect()
    }

    #[test]
    fn every_skipped_minor_is_asked_and_no_other() {
        let expected = [
            ("15.13", SelfReferencingForeignKey),
            ("15.13", BrinBloomIndex),
            ("15.14", BrinMinmaxMultiNumericIndex),
        ];
        let expected = expected.map(|(minor, detector)| (minor.to_owned(), detector));
        assert_eq!(found("15.12", "15.14"), expected);
        assert_eq!(found("15.14", "15.18"), []);
        assert_eq!(found("15.18", "15.18"), []);
        assert_eq!(found("17.9", "17.10"), []);
    }

    #[test]
    fn what_the_releases_of_august_2026_demand_is_known_for_every_major() {
        for (from, to) in [
            ("14.23", "14.24"),
            ("15.18", "15.19"),
            ("16.14", "16.15"),
            ("17.10", "17.11"),
            ("18.4", "18.6"),
        ] {
            let found: Vec<Detector> = found(from, to).into_iter().map(|(_, d)| d).collect();
            for wanted in [OutputPlugin, Pgcrypto, BtreeGistIndex, LtreeBtreeIndex] {
                assert!(found.contains(&wanted), "{from} to {to}: {wanted:?}");
            }
        }
    }

    #[test]
    fn a_long_way_meets_every_kind_that_the_design_names() {
        let found: Vec<Detector> = found("17.0", "17.12").into_iter().map(|(_, d)| d).collect();
        for wanted in [
            DetachedForeignKey,
            TextIndexUnderCCtype,
            SelfReferencingForeignKey,
            BrinBloomIndex,
            BrinMinmaxMultiNumericIndex,
            GinIndex,
        ] {
            assert!(found.contains(&wanted), "{wanted:?}");
        }
    }

    #[test]
    fn another_major_demands_nothing_here() {
        assert_eq!(found("15.4", "16.9"), []);
    }

    #[test]
    fn what_the_catalogue_does_not_know_is_said() {
        let unread = |from: &str, to: &str| -> Vec<String> {
            let all = unread(version(from), version(to)).into_iter();
            all.map(|minor| minor.to_string()).collect()
        };
        assert_eq!(unread("16.9", "16.15"), ["16.10"]);
        assert_eq!(unread("15.18", "15.20"), [] as [&str; 0]);
        assert_eq!(unread("15.20", "15.21"), ["15.21"]);
        assert_eq!(unread("19.0", "19.1"), ["19.1"]);
        assert_eq!(unread("15.20", "15.20"), [] as [&str; 0]);
    }

    #[test]
    fn withdrawn_minors_are_known_with_their_reason() {
        for bad in ["17.1", "16.5", "15.9", "18.2", "18.5", "14.3", "17.3"] {
            let because = withdrawn(version(bad));
            assert!(because.is_some_and(|why| !why.is_empty()), "{bad}");
        }
        for good in ["17.2", "15.18", "15.20", "18.6", "14.4"] {
            assert_eq!(withdrawn(version(good)), None, "{good}");
        }
    }

    #[test]
    fn a_way_closes_holes_unless_no_minor_on_it_does() {
        for (from, to, closes) in [
            ("17.3", "17.4", false),
            ("17.2", "17.4", true),
            ("17.1", "17.2", false),
            ("17.4", "17.5", true),
            ("15.18", "15.20", true),
            ("19.0", "19.1", true),
            ("15.20", "15.20", false),
            ("15.4", "16.9", false),
        ] {
            assert_eq!(
                closes_holes(version(from), version(to)),
                closes,
                "{from} {to}"
            );
        }
    }

    #[test]
    fn notes_are_the_projects_own_page() {
        assert_eq!(
            notes(version("15.20")),
            "https://www.postgresql.org/docs/15/release-15-20.html"
        );
    }
}
