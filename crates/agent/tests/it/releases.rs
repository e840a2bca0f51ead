//! The store of releases with real builds, and with archives that mean harm.

mod fixture;
mod refused;

use std::fs;
use std::path::Path;

use upkeep_agent::releases::{Error, program};
use upkeep_domain::release::{AddFrom, Release, Source};

use fixture::{INSTALLED, Store, wish};

#[tokio::test]
async fn an_installed_release_is_recorded_found_and_forgotten() {
    let store = Store::new();
    fs::create_dir(store.dir().join(".aside-left-by-a-crash")).unwrap();
    let from = || AddFrom::System {
        dir: INSTALLED.into(),
    };
    let added = store.releases.add(wish(from())).await.unwrap();

    assert_eq!(added.version.major, 15);
    assert_eq!(added.name.as_str(), format!("{}-system", added.version));
    assert_eq!(
        added.bin_dir,
        fs::canonicalize(INSTALLED).unwrap().join("bin")
    );
    assert!(added.tls && added.icu && !added.relocatable);
    for program in ["initdb", "pg_ctl", "postgres", "pg_basebackup", "pg_rewind"] {
        assert!(added.program(program).unwrap().is_file(), "{program}");
    }
    assert!(
        added.extensions.contains("plpgsql"),
        "{:?}",
        added.extensions
    );
    assert!(added.added_ms > 1_700_000_000_000);

    let version = added.version.to_string();
    assert_eq!(store.releases.info(&version).unwrap(), added);
    assert_eq!(
        store.releases.verified(added.name.as_str()).await.unwrap(),
        added
    );
    let again = store.releases.add(wish(from())).await.unwrap_err();
    assert!(matches!(again, Error::Exists { .. }), "{again}");

    let in_use = [added.name.clone()].into();
    let refused = store
        .releases
        .remove(&added.name, &in_use)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    store
        .releases
        .remove(&added.name, &[].into())
        .await
        .unwrap();
    assert!(store.releases.info(&version).is_err());
    assert!(added.bin_dir.join("postgres").is_file());
    store.assert_empty();
}

#[tokio::test]
async fn a_release_is_downloaded_from_the_package_sources_and_runs_from_wherever_it_is_put() {
    let store = Store::new();
    let from = AddFrom::Debian {
        version: "15.20".into(),
    };
    let added = store.releases.add(wish(from)).await.unwrap();
    assert_eq!(added.name.as_str(), "15.20-debian");
    assert!(added.tls && added.icu && added.relocatable);
    assert!(
        added.extensions.contains("pg_stat_statements"),
        "{:?}",
        added.extensions
    );
    assert!(added.bin_dir.starts_with(store.dir()));
    let Source::Debian { package, .. } = &added.source else {
        panic!("{:?}", added.source);
    };
    assert_eq!(package, "postgresql-15");

    let moved = store.moved();
    let there = moved.releases.verified("15.20").await.unwrap();
    assert!(there.bin_dir.starts_with(moved.dir()));
    let libraries = there.library_dir.as_ref().unwrap();
    assert!(libraries.join("libpq.so.5").is_file(), "{libraries:?}");
    let basebackup = moved.releases.list().unwrap();
    let basebackup = basebackup.basebackup_for(&there).unwrap();
    let command = program(basebackup, "pg_basebackup")
        .unwrap()
        .arg("--version");
    let output = command.run_as(moved.run_as.clone()).run().await.unwrap();
    assert!(output.stdout.contains(" 15.20 "), "{}", output.stdout);

    an_installed_release_that_was_replaced_in_place_is_noticed(&there).await;
}

/// Takes an unpacked release for an installed one, and puts another version's server into it.
async fn an_installed_release_that_was_replaced_in_place_is_noticed(unpacked: &Release) {
    let store = Store::new();
    let from = AddFrom::System {
        dir: unpacked.bin_dir.clone(),
    };
    store.releases.add(wish(from)).await.unwrap();
    let server = unpacked.program("postgres").unwrap();
    fs::remove_file(&server).unwrap();
    fs::copy(Path::new(INSTALLED).join("bin/postgres"), &server).unwrap();
    let error = store.releases.verified("15.20").await.unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}

#[tokio::test]
async fn an_unknown_package_version_is_answered_with_those_there_are() {
    let store = Store::new();
    let from = AddFrom::Debian {
        version: "15.1".into(),
    };
    let error = store.releases.add(wish(from)).await.unwrap_err();
    assert!(error.to_string().contains("they have: 15."), "{error}");
    store.assert_empty();
}

#[tokio::test]
async fn two_releases_are_not_added_at_the_same_time() {
    let store = Store::new();
    let add = || {
        let dir = INSTALLED.into();
        store.releases.add(wish(AddFrom::System { dir }))
    };
    let (one, other) = tokio::join!(add(), add());
    assert!(one.is_ok());
    assert!(matches!(other.unwrap_err(), Error::Busy { .. }));
}
