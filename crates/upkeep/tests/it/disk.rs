//! A host whose disk is nearly full: a small file system of its own.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;
use tempfile::TempDir;

const SIZE: &str = "size=2400m,mode=755";

/// All but so much of it is taken; the file is where that lies.
pub(crate) fn fill(dir: &Utf8Path, left_bytes: u64) -> Utf8PathBuf {
    let path = dir.join("ballast");
    let file = File::create(&path).unwrap();
    let bytes = available_bytes(dir) - left_bytes;
    posix_fallocate(&file, 0, bytes.cast_signed()).unwrap();
    path
}

pub(crate) fn available_bytes(dir: &Utf8Path) -> u64 {
    let disk = statvfs(dir.as_std_path()).unwrap();
    disk.blocks_available() * disk.fragment_size()
}

/// Unmounted when it is dropped, after all that lies on it.
pub(crate) struct Disk(TempDir);

impl Disk {
    /// `None` where nobody may mount one.
    pub(crate) fn mount() -> Option<Self> {
        if !geteuid().is_root() {
            eprintln!("skipped: only root can mount the small file system that this needs");
            return None;
        }
        let readable = Permissions::from_mode(0o755);
        let mut dir = tempfile::Builder::new();
        let dir = dir.prefix("disk-").permissions(readable).tempdir_in("/tmp");
        let disk = Self(dir.unwrap());
        run("mount", &["-t", "tmpfs", "-o", SIZE, "tmpfs", disk.path()]);
        Some(disk)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    pub(crate) fn dir(&self) -> TempDir {
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
