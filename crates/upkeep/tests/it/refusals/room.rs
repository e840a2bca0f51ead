//! A host whose disk is nearly full: a small file system of its own.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;
use tempfile::TempDir;

use super::listing;
use crate::left;
use crate::world::{World, other};

const SIZE: &str = "size=640m,mode=755";
/// Enough to go on with, too little for a copy.
const LEFT_BYTES: u64 = 128 << 20;

#[tokio::test]
async fn without_room_for_a_copy_nothing_is_begun_and_with_room_it_is() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can mount the small file system that this needs");
        return;
    }
    let disk = Disk::mount();
    let world = World::new_in(disk.dir()).await;
    let from = world.release().await;
    let ballast = fill(world.up.dir());
    let before = listing(&world.up).await;

    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(
        ending.because.contains("not enough room on the host"),
        "{ending:?}"
    );
    left::nothing_but_the_primary(&world, &from).await;
    let after = listing(&world.up).await;
    // Beside the maintenance itself, which is told.
    assert_eq!(after[..4], before[..4]);

    std::fs::remove_file(ballast).unwrap();
    assert_eq!(world.change_over().await.outcome, "succeeded");
    left::nothing_but_the_primary(&world, other(&from)).await;
}

fn fill(dir: &Utf8Path) -> Utf8PathBuf {
    let path = dir.join("ballast");
    let file = File::create(&path).unwrap();
    let disk = statvfs(dir.as_std_path()).unwrap();
    let bytes = disk.blocks_available() * disk.fragment_size() - LEFT_BYTES;
    posix_fallocate(&file, 0, bytes.cast_signed()).unwrap();
    path
}

/// Unmounted when it is dropped, after all that lies on it.
struct Disk(TempDir);

impl Disk {
    fn mount() -> Self {
        let readable = Permissions::from_mode(0o755);
        let mut dir = tempfile::Builder::new();
        let dir = dir.prefix("disk-").permissions(readable).tempdir_in("/tmp");
        let disk = Self(dir.unwrap());
        run("mount", &["-t", "tmpfs", "-o", SIZE, "tmpfs", disk.path()]);
        disk
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn dir(&self) -> TempDir {
        let readable = Permissions::from_mode(0o755);
        let mut dir = tempfile::Builder::new();
        let dir = dir
            .prefix("up-")
            .permissions(readable)
            .tempdir_in(self.path());
        dir.unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy", self.path()]);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tools of the machine, for a test's own set-up"
)]
fn run(program: &str, args: &[&str]) {
    let status = Command::new(program).args(args).status().unwrap();
    assert!(status.success(), "{program} {args:?}");
}
