//! The releases of one host, and how one of them is chosen.

use super::{BASEBACKUP, Release, Version, knowledge, upgrade_allowed};

/// Ordered by version, then name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    releases: Vec<Release>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    #[error("no release `{wanted}` here; there are: {}", listed(.present))]
    Unknown {
        wanted: String,
        present: Vec<String>,
    },
    #[error("`{wanted}` could be several releases: {}; say which by its name", listed(.matches))]
    Ambiguous {
        wanted: String,
        matches: Vec<String>,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}

fn names<'a>(releases: impl IntoIterator<Item = &'a Release>) -> Vec<String> {
    let name = |release: &Release| release.name.to_string();
    releases.into_iter().map(name).collect()
}

impl Catalogue {
    pub fn new(mut releases: Vec<Release>) -> Self {
        releases.sort_by(|a, b| (a.version, &a.name).cmp(&(b.version, &b.name)));
        Self { releases }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Release> {
        self.releases.iter()
    }

    /// `wanted` is a full name, or a version of which there is one build.
    pub fn find(&self, wanted: &str) -> Result<&Release, NotFound> {
        if let Some(named) = self.iter().find(|r| r.name.as_str() == wanted) {
            return Ok(named);
        }
        let version = wanted.parse::<Version>().ok();
        let matches: Vec<&Release> = self.iter().filter(|r| Some(r.version) == version).collect();
        match matches.as_slice() {
            [one] => Ok(one),
            [] => Err(NotFound::Unknown {
                wanted: wanted.to_owned(),
                present: names(self.iter()),
            }),
            several => Err(NotFound::Ambiguous {
                wanted: wanted.to_owned(),
                matches: names(several.iter().copied()),
            }),
        }
    }

    /// Those that may follow the present one and are not withdrawn.
    pub fn newer(&self, present: &Release) -> impl Iterator<Item = &Release> {
        let present = present.version;
        self.iter()
            .filter(move |release| release.version > present)
            .filter(move |release| upgrade_allowed(present, release.version).is_ok())
            .filter(|release| knowledge::withdrawn(release.version).is_none())
    }

    /// The newest of them.
    pub fn newest_after(&self, present: &Release) -> Option<&Release> {
        self.newer(present).max_by_key(|release| release.version)
    }

    /// The release whose `pg_basebackup` copies an instance of `source`: its own one, else one of
    /// the same major version, else of the next newer one. `pg_basebackup` takes from older servers.
    pub fn basebackup_for(&self, source: &Release) -> Option<&Release> {
        self.iter()
            .filter(|r| r.programs.contains(BASEBACKUP))
            .filter(|r| r.version.major >= source.version.major)
            .min_by_key(|r| {
                let another = r.name != source.name;
                let newest_minor_first = std::cmp::Reverse(r.version.minor);
                (another, r.version.major, newest_minor_first)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Source;

    fn release(name: &str, programs: &[&str]) -> Release {
        let (version, _) = name.split_once('-').unwrap();
        Release {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            source: Source::System { dir: "/".into() },
            bin_dir: "/bin".into(),
            library_dir: None,
            programs: programs.iter().map(|&p| p.to_owned()).collect(),
            extensions: [].into(),
            tls: true,
            icu: true,
            relocatable: false,
            added_ms: 0,
        }
    }

    #[test]
    fn a_release_is_found_by_name_and_by_version() {
        let there = Catalogue::new(vec![
            release("15.20-debian", &[]),
            release("15.18-system", &[]),
        ]);
        assert_eq!(there.find("15.20").unwrap().name.as_str(), "15.20-debian");
        assert_eq!(
            there.find("15.18-system").unwrap().version,
            Version::new(15, 18)
        );
    }

    #[test]
    fn an_unknown_release_is_answered_with_what_there_is() {
        let there = Catalogue::new(vec![
            release("15.20-debian", &[]),
            release("15.18-system", &[]),
        ]);
        let sentence = there.find("15.19").unwrap_err().to_string();
        assert_eq!(
            sentence,
            "no release `15.19` here; there are: 15.18-system, 15.20-debian"
        );
        let sentence = Catalogue::default().find("x").unwrap_err().to_string();
        assert_eq!(sentence, "no release `x` here; there are: none");
    }

    #[test]
    fn a_version_with_two_builds_is_not_guessed() {
        let there = Catalogue::new(vec![release("18.6-pypi", &[]), release("18.6-deb", &[])]);
        let NotFound::Ambiguous { matches, .. } = there.find("18.6").unwrap_err() else {
            panic!("not ambiguous");
        };
        assert_eq!(matches, ["18.6-deb", "18.6-pypi"]);
    }

    #[test]
    fn a_withdrawn_release_follows_none() {
        let present = release("17.0-a", &[]);
        let newest = |newer: &[&str]| {
            let newer = newer.iter().map(|name| release(name, &[]));
            let there = Catalogue::new(newer.chain([present.clone()]).collect());
            there.newest_after(&present).map(|found| found.version)
        };
        assert_eq!(newest(&["17.2-b", "17.3-c"]), Some(Version::new(17, 2)));
        assert_eq!(newest(&["17.1-b"]), None);
        assert_eq!(newest(&["18.6-b"]), None);
    }

    #[test]
    fn the_base_backup_program_is_the_nearest_that_can_read_the_source() {
        let npm = release("17.9-npm", &["postgres"]);
        let mut all = vec![npm.clone(), release("15.18-system", &[BASEBACKUP])];
        assert_eq!(Catalogue::new(all.clone()).basebackup_for(&npm), None);
        all.push(release("18.6-pypi", &[BASEBACKUP]));
        let nearest = |all: &[Release], source: &Release| {
            let there = Catalogue::new(all.to_vec());
            there.basebackup_for(source).unwrap().name.to_string()
        };
        assert_eq!(nearest(&all, &npm), "18.6-pypi");
        all.push(release("17.10-pypi", &[BASEBACKUP]));
        assert_eq!(nearest(&all, &npm), "17.10-pypi");
        let own = release("17.8-own", &[BASEBACKUP]);
        all.push(own.clone());
        assert_eq!(nearest(&all, &own), "17.8-own");
    }
}
