//! Which version may take over the data of which. Says nothing about whether the build is at hand.

use super::Version;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "{from} cannot become {to} this way: the data of major version {} cannot be read by major version {}",
        from.major, to.major
    )]
    OtherMajor { from: Version, to: Version },
    #[error(
        "{from} cannot become {to}: the minor is older, and what {from} has written may not be understood by it"
    )]
    OlderMinor { from: Version, to: Version },
}

/// Another build of the same minor is allowed: the files on disk are the same.
pub fn upgrade_allowed(from: Version, to: Version) -> Result<(), Refusal> {
    if from.major != to.major {
        return Err(Refusal::OtherMajor { from, to });
    }
    if to.minor < from.minor {
        return Err(Refusal::OlderMinor { from, to });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const V15_18: Version = Version::new(15, 18);

    #[test]
    fn a_newer_minor_and_the_same_minor_are_allowed() {
        assert_eq!(upgrade_allowed(V15_18, Version::new(15, 20)), Ok(()));
        assert_eq!(upgrade_allowed(V15_18, V15_18), Ok(()));
    }

    #[test]
    fn another_major_is_refused_in_both_directions() {
        for to in [Version::new(14, 23), Version::new(17, 10)] {
            let refusal = upgrade_allowed(V15_18, to).unwrap_err();
            assert_eq!(refusal, Refusal::OtherMajor { from: V15_18, to });
        }
    }

    #[test]
    fn an_older_minor_is_refused_with_both_versions_named() {
        let refusal = upgrade_allowed(V15_18, Version::new(15, 17)).unwrap_err();
        let sentence = refusal.to_string();
        assert!(sentence.contains("15.18 cannot become 15.17"), "{sentence}");
    }
}
