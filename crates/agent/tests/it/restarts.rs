//! Restarts: what would not start is found before anything is stopped, what is stopped comes up
//! again, and what does not come up runs as it did before.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use upkeep_domain::dry_start::{DryStart, WaitingSetting};
use upkeep_domain::host_command::{Answer, HostCommand, HostQuery, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{Address, Observation, ProcessState};
use upkeep_domain::release::ReleaseName;

use crate::world::World;

async fn dry_start(world: &World, instance: InstanceId, release: &ReleaseName) -> DryStart {
    let release = release.clone();
    let query = HostQuery::DryStart { instance, release };
    match world.agent.query(query).await.unwrap() {
        Answer::DryStart { dry_start } => dry_start,
        other => panic!("{other:?}"),
    }
}

async fn stop(world: &World, instance: InstanceId) -> Vec<String> {
    match world.done(HostCommand::StopBriefly { instance }).await {
        Outcome::Stopped { not_waited_for, .. } => not_waited_for,
        other => panic!("{other:?}"),
    }
}

/// Why it fell back, if it did.
async fn start(world: &World, instance: InstanceId, release: &ReleaseName) -> Option<String> {
    let release = release.clone();
    match world
        .done(HostCommand::StartAgain { instance, release })
        .await
    {
        Outcome::StartedAgain { fell_back, .. } => fell_back,
        other => panic!("{other:?}"),
    }
}

async fn sql(world: &World, instance: InstanceId, sql: &str) {
    world
        .client(instance)
        .await
        .batch_execute(sql)
        .await
        .unwrap();
}

async fn show(world: &World, instance: InstanceId, name: &str) -> String {
    let client = world.client(instance).await;
    let row = client.query_one(&format!("SHOW {name}"), &[]).await;
    row.unwrap().get(0)
}

fn append(path: &Path, line: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}

#[tokio::test]
async fn what_waits_for_a_restart_is_told_before_it_and_true_after_it() {
    let (world, release, instance) = World::with_primary().await;
    let before = world.see(instance).await;
    assert_eq!(
        dry_start(&world, instance, &release).await,
        DryStart::default()
    );
    // One that was reloaded and one that was not.
    sql(&world, instance, "ALTER SYSTEM SET shared_buffers = '24MB'").await;
    sql(&world, instance, "SELECT pg_reload_conf()").await;
    let waits = |names: &'static [&str]| {
        move |seen: &Observation| {
            let waiting = seen.waiting_settings.as_deref();
            waiting.is_some_and(|waiting| waiting == names)
        }
    };
    let reloaded = waits(&["shared_buffers"]);
    world
        .wait_until(instance, "it is seen to wait", reloaded)
        .await;
    sql(&world, instance, "ALTER SYSTEM SET max_connections = 33").await;
    let waiting = |name: &str, before: &str, after: &str| WaitingSetting {
        name: name.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    };
    let wanted = DryStart {
        findings: Vec::new(),
        waiting: vec![
            waiting("max_connections", "20", "33"),
            waiting("shared_buffers", "2048", "3072"),
        ],
    };
    assert_eq!(dry_start(&world, instance, &release).await, wanted);

    // Twice is once, in both halves.
    for _ in 0..2 {
        assert_eq!(stop(&world, instance).await, [] as [&str; 0]);
        assert_eq!(world.see(instance).await.process, ProcessState::Stopped);
        assert_eq!(world.processes(instance), [] as [i32; 0]);
    }
    for _ in 0..2 {
        assert_eq!(start(&world, instance, &release).await, None);
    }
    let after = world.see(instance).await;
    assert!(waits(&[])(&after), "{after:?}");
    assert_eq!(after.identity, before.identity);
    assert_eq!(after.timeline, before.timeline);
    assert!(after.flushed_lsn > before.flushed_lsn, "it has written");
    assert_eq!(show(&world, instance, "shared_buffers").await, "24MB");
    assert_eq!(
        dry_start(&world, instance, &release).await,
        DryStart::default()
    );
}

#[tokio::test]
async fn what_would_not_start_is_named_with_its_place_while_it_runs_on() {
    let (world, release, instance) = World::with_primary().await;
    let data = world.data(instance);
    let (conf, auto) = (
        data.join("postgresql.conf"),
        data.join("postgresql.auto.conf"),
    );
    let hba = data.with_file_name("conf").join("pg_hba.conf");
    let (conf_before, hba_before) = (fs::read(&conf).unwrap(), fs::read(&hba).unwrap());
    let junk = data.join("junk.so");
    fs::write(&junk, "no library").unwrap();
    let junk_library = format!("shared_preload_libraries = '{}'", junk.display());
    let bad_lines = [
        (&conf, "work_mem = lots", Some("work_mem"), "invalid value"),
        (
            &conf,
            "max_worker_processes = many",
            Some("max_worker_processes"),
            "invalid value",
        ),
        (&conf, "strange = 1", Some("strange"), "unrecognized"),
        (&conf, "work_mem 'unclosed", None, "syntax error"),
        (&hba, "host all all nonsense", None, "authentication"),
    ];
    for (file, line, setting, words) in bad_lines {
        append(file, line);
        let number = fs::read_to_string(file).unwrap().lines().count() as u32;
        let found = dry_start(&world, instance, &release).await.findings;
        let [finding] = found.as_slice() else {
            panic!("{line}: {found:?}");
        };
        assert_eq!(finding.file.as_deref(), file.to_str(), "{finding}");
        assert_eq!(finding.line, Some(number), "{finding}");
        assert_eq!(finding.setting.as_deref(), setting, "{finding}");
        assert!(finding.sentence.contains(words), "{finding}");
        assert!(!finding.hint.is_empty(), "{finding}");
        fs::write(&conf, &conf_before).unwrap();
        fs::write(&hba, &hba_before).unwrap();
    }
    // What `postgres -C` takes, and a start does not.
    let bad_settings = [
        (
            "shared_preload_libraries = 'nowhere, auto_explain'",
            "`nowhere` is not there",
        ),
        (junk_library.as_str(), "is not there"),
        (
            "session_preload_libraries = 'nowhere'",
            "`nowhere` is not there",
        ),
        ("wal_level = minimal", "it cannot be `minimal`"),
        ("superuser_reserved_connections = 20", "that are reserved"),
        ("shared_buffers = '4000GB'", "the host has"),
        ("ssl = on", "which ssl = on needs"),
        ("huge_pages = on", "MB in huge pages"),
    ];
    for (line, words) in bad_settings {
        append(&auto, line);
        let found = dry_start(&world, instance, &release).await.findings;
        let told = found.iter().any(|finding| finding.sentence.contains(words));
        assert!(told, "{line}: {found:?}");
        fs::write(&auto, "").unwrap();
    }
    let Address::Unix { directory, port } = world.address(instance) else {
        panic!("instances listen on sockets only");
    };
    let lock = Path::new(&directory).join(format!(".s.PGSQL.{port}.lock"));
    let held = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, "1\n").unwrap();
    let found = dry_start(&world, instance, &release).await.findings;
    assert!(
        found[0].sentence.contains("belongs to process 1"),
        "{found:?}"
    );
    fs::write(&lock, held).unwrap();
    append(&auto, "shared_preload_libraries = 'auto_explain'");
    let dry = dry_start(&world, instance, &release).await;
    assert_eq!((dry.findings.len(), dry.waiting.len()), (0, 1), "{dry:?}");
    let elsewhere = "15.99-x".parse().unwrap();
    let found = dry_start(&world, instance, &elsewhere).await.findings;
    assert!(found[0].sentence.contains("15.99-x"), "{found:?}");
    assert!(
        world.see(instance).await.accepts_connections,
        "all the while"
    );
}

/// What no look finds: a library that is one, and cannot be loaded.
fn unloadable(path: &Path) {
    fs::copy("/proc/self/exe", path).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
}

#[tokio::test]
async fn what_does_not_come_up_runs_as_at_its_last_good_start_and_says_so() {
    let (world, release, instance) = World::with_primary().await;
    let data = world.data(instance);
    let (auto, library) = (data.join("postgresql.auto.conf"), data.join("bad.so"));
    unloadable(&library);
    let line = format!("shared_preload_libraries = '{}'", library.display());
    append(&auto, "work_mem = '5MB'");
    append(&auto, &line);
    assert_eq!(dry_start(&world, instance, &release).await.findings, []);
    stop(&world, instance).await;
    let why = start(&world, instance, &release)
        .await
        .expect("it cannot have loaded that");
    assert!(why.contains("bad.so"), "{why}");
    assert!(world.see(instance).await.accepts_connections);
    assert_eq!(show(&world, instance, "shared_preload_libraries").await, "");
    assert_eq!(
        show(&world, instance, "work_mem").await,
        "4MB",
        "all or nothing"
    );
    let refused = data.with_file_name("refused").join("postgresql.auto.conf");
    assert!(fs::read_to_string(refused).unwrap().contains(&line));
    // Whoever asks again is told the same, also by another agent.
    let world = world.with_a_new_agent().await;
    assert_eq!(start(&world, instance, &release).await, Some(why));
    stop(&world, instance).await;
    assert_eq!(
        start(&world, instance, &release).await,
        None,
        "it is the usual now"
    );
    // An agent that died over it had written down what it was about to do.
    append(&auto, &line);
    stop(&world, instance).await;
    fs::write(data.with_file_name("fell_back"), "an earlier try").unwrap();
    let told = start(&world, instance, &release).await;
    assert_eq!(told.as_deref(), Some("an earlier try"));
    assert_eq!(show(&world, instance, "shared_preload_libraries").await, "");
}

#[tokio::test]
async fn what_never_comes_up_is_told_and_does_once_its_cause_is_gone() {
    let (world, release, instance) = World::with_primary().await;
    let data = world.data(instance);
    let library = data.join("once_good.so");
    let good = format!("{}/lib/auto_explain.so", crate::world::INSTALLED);
    fs::copy(&good, &library).unwrap();
    let set = format!(
        "ALTER SYSTEM SET shared_preload_libraries = '{}'",
        library.display()
    );
    sql(&world, instance, &set).await;
    stop(&world, instance).await;
    assert_eq!(start(&world, instance, &release).await, None);
    stop(&world, instance).await;
    // It is what it was, and does not start any more.
    unloadable(&library);
    let again = || HostCommand::StartAgain {
        instance,
        release: release.clone(),
    };
    let Outcome::NotStarted { sentence } = world.done(again()).await else {
        panic!("it cannot have started");
    };
    assert!(sentence.contains("neither"), "{sentence}");
    assert_eq!(world.see(instance).await.process, ProcessState::Stopped);
    let known = data.with_file_name("known_good.json");
    fs::remove_file(&known).unwrap();
    let Outcome::NotStarted { sentence } = world.done(again()).await else {
        panic!("it cannot have started");
    };
    assert!(sentence.contains("there is no copy"), "{sentence}");
    fs::copy(&good, &library).unwrap();
    assert_eq!(start(&world, instance, &release).await, None);
    assert!(known.exists(), "from here on there is one");
}

/// H3 and H5: a standby that does not listen, and an archiver that does not end.
#[tokio::test]
async fn a_stop_waits_neither_for_the_archiver_nor_for_a_standby_that_does_not_listen() {
    let (world, release, instance) = World::with_primary().await;
    let settings = "ALTER SYSTEM SET archive_mode = on;";
    sql(&world, instance, settings).await;
    let command = "ALTER SYSTEM SET archive_command = 'sleep 600'";
    sql(&world, instance, command).await;
    stop(&world, instance).await;
    start(&world, instance, &release).await;
    let standby = world.standby_of(instance, release.clone()).await;
    for pid in world.processes(standby) {
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    }
    // More than sockets hold, so that the sender has to wait.
    let much = "CREATE TABLE much AS SELECT repeat('x', 500) AS x FROM generate_series(1, 40000)";
    sql(&world, instance, much).await;
    sql(&world, instance, "SELECT pg_switch_wal()").await;
    let began = Instant::now();
    let not_waited_for = stop(&world, instance).await;
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(not_waited_for, ["archiver", "walsender"]);
    assert_eq!(
        world.processes(instance),
        [] as [i32; 0],
        "nor is anything left"
    );
    assert_eq!(start(&world, instance, &release).await, None);
    for pid in world.processes(standby) {
        kill(Pid::from_raw(pid), Signal::SIGCONT).unwrap();
    }
    world
        .wait_until(standby, "it streams again", |seen| {
            seen.streaming == Some(true)
        })
        .await;
}
