//! Commands against real processes.

use super::*;
use upkeep_testkit::wait;

fn sh(script: &str) -> Command {
    Command::new("/bin/sh").args(["-c", script])
}

/// Field 3 of `/proc/<pid>/stat`; a process that was killed but not yet reaped counts as gone.
fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait::wait_until(what, Duration::from_secs(10), async || holds()).await;
}

#[tokio::test]
async fn the_environment_is_ours_only_where_we_say_so() {
    let output = Command::new("/usr/bin/env")
        .env("UPKEEP", "1")
        .run()
        .await
        .unwrap();
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["LC_ALL=C.UTF-8", &format!("PATH={PATH}"), "UPKEEP=1"]
    );
}

#[tokio::test]
async fn a_failure_names_the_program_its_exit_and_its_last_words() {
    let error = sh("echo first; echo no such thing >&2; exit 3")
        .run()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/bin/sh` ended with exit status: 3: no such thing"
    );
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn a_program_that_is_not_there_was_certainly_not_run() {
    let error = Command::new("/nowhere/initdb").run().await.unwrap_err();
    assert!(matches!(error, Error::NotStarted { .. }), "{error}");
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn after_the_deadline_the_outcome_is_unknown_and_no_child_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = format!("sleep 60 & echo $! > {}; wait", pid_file.display());
    let error = sh(&script)
        .deadline(Duration::from_millis(300))
        .run()
        .await
        .unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
    let grandchild = std::fs::read_to_string(pid_file).unwrap();
    wait_until("the grandchild is gone", || !alive(&grandchild)).await;
}

#[tokio::test]
async fn a_flood_of_output_is_cut_and_the_program_is_not_blocked_by_it() {
    let flood = "yes 0123456 | head -c 4000000; yes 0123456 | head -c 4000000 >&2; echo last >&2";
    let output = sh(flood).output_limit(1000).run().await.unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (1000, 1000));
    assert!(output.stderr.ends_with("last\n"));
}

#[tokio::test]
async fn a_program_reads_what_it_is_given_and_need_not_read_it_all() {
    let output = Command::new("/bin/cat")
        .input("select 1;")
        .run()
        .await
        .unwrap();
    assert_eq!(output.stdout, "select 1;");
    let output = Command::new("/bin/true")
        .input(vec![b'x'; 1 << 20])
        .run()
        .await
        .unwrap();
    assert_eq!(output.stdout, "");
}

#[tokio::test]
async fn a_program_run_as_somebody_else_has_none_of_our_groups() {
    let Some(user) = RunAs::resolve(None).unwrap() else {
        return;
    };
    let output = sh("id -u; id -G")
        .run_as(Some(user.clone()))
        .run()
        .await
        .unwrap();
    assert_eq!(output.stdout, format!("{}\n{}\n", user.uid, user.gid));
}

#[tokio::test]
async fn root_is_refused_as_the_user_of_instances() {
    if nix::unistd::geteuid().is_root() {
        let refused = RunAs::resolve(Some("root")).unwrap_err();
        assert!(matches!(refused, UserRefused::Root { .. }));
        assert!(RunAs::resolve(Some("no-such-user")).is_err());
    } else {
        assert_eq!(RunAs::resolve(Some("root")).unwrap(), None);
    }
}

#[tokio::test]
async fn a_detached_server_leads_its_own_session_and_appends_to_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    std::fs::write(&log, "before\n").unwrap();
    let mut child = sh("cut -d' ' -f6 /proc/$$/stat; echo err >&2")
        .spawn_detached(&log)
        .unwrap();
    let pid = child.id().unwrap();
    assert!(child.wait().await.unwrap().success());
    let said = std::fs::read_to_string(&log).unwrap();
    assert_eq!(said, format!("before\n{pid}\nerr\n"));
}

#[test]
fn a_helper_dies_with_the_thread_that_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let starter = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let child = sh("exec sleep 60")
                .die_with_parent()
                .spawn_detached(&log)
                .unwrap();
            child.id().unwrap().to_string()
        })
    });
    let pid = starter.join().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(wait_until("the helper is gone", || !alive(&pid)));
}
