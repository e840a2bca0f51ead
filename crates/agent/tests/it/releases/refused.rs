//! What is not added, why, and that nothing of it is left.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use upkeep_agent::command::Command;
use upkeep_domain::release::AddFrom;

use super::fixture::Entry::{File, Link};
use super::fixture::{INSTALLED, Store, archive, tarball_with, wish, zip_with};

async fn refusal(store: &Store, from: AddFrom) -> String {
    let error = store.releases.add(wish(from)).await.unwrap_err();
    store.assert_empty();
    error.to_string()
}

#[tokio::test]
async fn an_archive_with_another_checksum_is_refused() {
    let store = Store::new();
    let path = store.beside("pg.zip");
    zip_with(&path, &[("pg/bin/postgres", "")]);
    let zeros = "0".repeat(64);
    let from = AddFrom::Archive {
        path,
        sha256: Some(zeros.clone()),
        root: None,
    };
    let said = refusal(&store, from).await;
    assert!(
        said.contains(&zeros) && said.contains("has the SHA-256"),
        "{said}"
    );
}

#[tokio::test]
async fn a_file_that_is_no_archive_is_refused_by_its_name() {
    let store = Store::new();
    let path = store.beside("pg.rpm");
    fs::write(&path, "").unwrap();
    let said = refusal(&store, archive(&path)).await;
    assert!(said.contains("`pg.rpm` is no kind of archive"), "{said}");
}

#[tokio::test]
async fn an_entry_outside_the_folder_is_refused_and_not_written() {
    let store = Store::new();
    let path = store.beside("evil.whl");
    zip_with(&path, &[("pg/bin/postgres", ""), ("../../../planted", "x")]);
    let said = refusal(&store, archive(&path)).await;
    assert!(
        said.contains("`../../../planted` would be put outside"),
        "{said}"
    );
    assert!(!store.beside("planted").exists());

    let path = store.beside("evil.tgz");
    tarball_with(&path, &[File("pg/bin/postgres"), File("../../../planted")]);
    let said = refusal(&store, archive(&path)).await;
    assert!(
        said.contains("`../../../planted` would be put outside"),
        "{said}"
    );
    assert!(!store.beside("planted").exists());
}

#[tokio::test]
async fn a_link_that_leads_out_is_refused_however_it_gets_there() {
    let store = Store::new();
    let ways: [&[super::fixture::Entry]; 4] = [
        &[File("pg/bin/postgres"), Link("pg/share", "/etc")],
        &[File("pg/bin/postgres"), Link("pg/share", "../../..")],
        // Innocent by its text: `here` is the tree itself, so `here/..` is the folder above it.
        &[
            File("pg/bin/postgres"),
            Link("here", "."),
            Link("pg/share", "../here/.."),
        ],
        &[
            File("pg/bin/postgres"),
            Link("pg/share", "../../../nowhere"),
        ],
    ];
    for (number, entries) in ways.iter().enumerate() {
        let path = store.beside(&format!("links-{number}.tar.gz"));
        tarball_with(&path, entries);
        let said = refusal(&store, archive(&path)).await;
        assert!(
            said.contains("its link `pg/share` leads out"),
            "{number}: {said}"
        );
    }
}

#[tokio::test]
async fn nothing_is_written_through_a_link() {
    let store = Store::new();
    let outside = store.beside("outside");
    fs::create_dir(&outside).unwrap();
    let path = store.beside("through.tgz");
    let up = "../../../outside";
    tarball_with(
        &path,
        &[
            Link("door", up),
            File("door/planted"),
            File("pg/bin/postgres"),
        ],
    );
    refusal(&store, archive(&path)).await;
    assert!(!outside.join("planted").exists());
}

#[tokio::test]
async fn an_archive_without_postgres_is_refused() {
    let store = Store::new();
    let path = store.beside("other.zip");
    zip_with(&path, &[("pg/bin/psql", ""), ("pg/postgres", "")]);
    let said = refusal(&store, archive(&path)).await;
    assert!(said.contains("`other.zip` holds no PostgreSQL"), "{said}");
}

#[tokio::test]
async fn of_several_installations_one_must_be_chosen() {
    let store = Store::new();
    let path = store.beside("two.whl");
    zip_with(
        &path,
        &[("x/pg16/bin/postgres", ""), ("x/pg18/bin/postgres", "")],
    );
    let said = refusal(&store, archive(&path)).await;
    assert!(said.contains("`x/pg16`, `x/pg18`"), "{said}");
    let rooted = |root: &str| AddFrom::Archive {
        path: path.clone(),
        sha256: None,
        root: Some(root.into()),
    };
    let said = refusal(&store, rooted("pg17")).await;
    assert!(said.contains("`pg17` is not one installation"), "{said}");
    let said = refusal(&store, rooted("pg18")).await;
    assert!(
        said.contains("x/pg18/bin/postgres` is no release of PostgreSQL"),
        "{said}"
    );
}

#[tokio::test]
async fn a_folder_without_postgres_is_refused() {
    let store = Store::new();
    let dir = store.beside("empty");
    fs::create_dir_all(dir.join("bin")).unwrap();
    let said = refusal(&store, AddFrom::System { dir }).await;
    assert!(said.contains("there is no `bin/postgres` in"), "{said}");
}

/// An installation of the host's programs at another place.
fn copied_programs(into: &Path) {
    fs::create_dir_all(into.join("bin")).unwrap();
    for program in ["initdb", "pg_ctl", "postgres"] {
        let from = Path::new(INSTALLED).join("bin").join(program);
        fs::copy(from, into.join("bin").join(program)).unwrap();
    }
}

#[tokio::test]
async fn programs_that_may_not_be_executed_are_refused() {
    let store = Store::new();
    let dir = store.beside("copy");
    copied_programs(&dir);
    let postgres = dir.join("bin/postgres");
    fs::set_permissions(&postgres, Permissions::from_mode(0o644)).unwrap();
    let said = refusal(&store, AddFrom::System { dir }).await;
    assert!(
        said.contains("bin/postgres` may not be executed by the user"),
        "{said}"
    );
}

#[tokio::test]
async fn programs_without_the_files_they_need_are_refused() {
    let store = Store::new();
    let dir = store.beside("copy");
    copied_programs(&dir);
    let said = refusal(&store, AddFrom::System { dir: dir.clone() }).await;
    assert!(
        said.contains("bin/initdb` did not do its work when tried"),
        "{said}"
    );
    fs::remove_file(dir.join("bin/pg_ctl")).unwrap();
    let said = refusal(&store, AddFrom::System { dir }).await;
    assert!(said.contains("lacks pg_ctl"), "{said}");
}

#[tokio::test]
async fn a_missing_shared_library_is_named() {
    let store = Store::new();
    let dir = store.beside("copy");
    copied_programs(&dir);
    let postgres = dir.join("bin/postgres");
    let mut bytes = fs::read(&postgres).unwrap();
    let (here, elsewhere) = (b"libxml2.so.2", b"libxml9.so.2");
    let at = bytes
        .windows(here.len())
        .position(|word| word == here)
        .unwrap();
    bytes[at..at + here.len()].copy_from_slice(elsewhere);
    fs::write(&postgres, bytes).unwrap();
    let said = refusal(&store, AddFrom::System { dir }).await;
    assert!(
        said.contains("needs the shared library `libxml9.so.2`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_package_that_was_cut_short_is_refused_and_the_whole_one_is_not() {
    let store = Store::new();
    let folder = store.beside("download");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    let download = Command::new("apt-get").args(["download", "postgresql-15"]);
    download.cwd(&folder).run().await.unwrap();
    let package = fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let half = store.beside("half.deb");
    let bytes = fs::read(&package).unwrap();
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let said = refusal(&store, archive(&half)).await;
    assert!(said.contains("may be damaged or incomplete"), "{said}");

    // The server alone: its client programs are in another package.
    let added = store.releases.add(wish(archive(&package))).await.unwrap();
    assert!(added.program("postgres").is_some() && added.program("pg_basebackup").is_none());
    assert_eq!(added.name.as_str(), format!("{}-deb", added.version));
}
