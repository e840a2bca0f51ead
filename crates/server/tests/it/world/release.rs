//! A PostgreSQL release, as if it had been added.

use upkeep_domain::release::{AddRelease, Release, Source};

pub(super) fn added(wish: AddRelease) -> Release {
    Release {
        name: wish.name.unwrap_or_else(|| "15.20-debian".parse().unwrap()),
        version: "15.20".parse().unwrap(),
        source: Source::Debian {
            package: "postgresql-15".to_owned(),
            package_version: "15.20-0+deb12u1".to_owned(),
        },
        bin_dir: "/releases/15.20/bin".into(),
        library_dir: None,
        programs: ["postgres".to_owned()].into(),
        extensions: [].into(),
        tls: true,
        icu: true,
        relocatable: true,
        added_ms: 1_700_000_000_000,
    }
}
