//! The fixture itself: a test that is killed leaves a running Upkeep, and the next one clears it away.

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::Utf8PathBuf;
use upkeep_testkit::up::{self, Up};

use crate::wait::wait_for;
use crate::world::options;

/// Set in the process that is to be killed: where it writes which directory it has.
const TELL: &str = "UPKEEP_TEST_TELLS_ITS_DIRECTORY";
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_a_killed_test_leaves_is_cleared_away_by_the_next() {
    if let Ok(tell) = env::var(TELL) {
        let up = Up::start(up::make_dir().unwrap(), options()).await.unwrap();
        let draft = format!("{tell}.draft");
        fs::write(&draft, up.dir().as_str()).unwrap();
        fs::rename(draft, tell).unwrap();
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let tell = folder.path().join("tell");
    let mut victim = Victim(this_test().env(TELL, &tell).spawn().unwrap());
    let dir = wait_for("an Upkeep that runs", SOON, async || {
        assert!(victim.0.try_wait().unwrap().is_none(), "it ended by itself");
        fs::read_to_string(&tell).ok()
    });
    let dir = Utf8PathBuf::from(dir.await);
    assert!(works_in(&dir) > 3, "roles, and the private instance");
    drop(victim);
    assert!(works_in(&dir) > 3, "they do not mind");

    let _next = up::make_dir().unwrap();
    assert_eq!((works_in(&dir), dir.exists()), (0, false));
}

struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this test's own program, to be killed"
)]
fn this_test() -> Command {
    let name = "abandoned::what_a_killed_test_leaves_is_cleared_away_by_the_next";
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", name])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Processes with the directory among their arguments.
fn works_in(dir: &Utf8PathBuf) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .filter(|arguments| String::from_utf8_lossy(arguments).contains(dir.as_str()))
        .count()
}
