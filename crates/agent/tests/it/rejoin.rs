//! A standby moves to another release, and an old primary comes back as a standby: as it is, or rewound.

use tokio_postgres::Client;
use upkeep_domain::dry_start::DryStart;
use upkeep_domain::host_command::{Answer, HostCommand, HostQuery, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::BackupProgress;
use upkeep_domain::lsn::TimelineId;
use upkeep_domain::release::{AddFrom, AddRelease, ReleaseName};

use crate::world::{INSTALLED, SETTINGS, World};

const SILENCE_MS: u64 = 30_000;

async fn another_release(world: &World) -> ReleaseName {
    let from = AddFrom::System {
        dir: INSTALLED.into(),
    };
    let name = Some("another".parse().unwrap());
    let source = AddRelease { name, from };
    match world.done(HostCommand::AddRelease { source }).await {
        Outcome::ReleaseAdded { release } => release.name,
        other => panic!("{other:?}"),
    }
}

fn rejoin(world: &World, old: InstanceId, new: InstanceId, release: &ReleaseName) -> HostCommand {
    HostCommand::Rejoin {
        instance: old,
        release: release.clone(),
        settings: SETTINGS,
        upstream: new,
        upstream_address: world.address(new),
        slot: "rejoined".to_owned(),
    }
}

/// Takes the old one out as a switch does.
async fn take_out(world: &World, instance: InstanceId) {
    let marker = world.mark(instance).await;
    let freeze = HostCommand::Freeze {
        instance,
        marker,
        silence_ms: SILENCE_MS,
    };
    let fenced = world.done(freeze).await;
    assert!(matches!(fenced, Outcome::Fenced { .. }), "{fenced:?}");
    world.done(HostCommand::Disarm { instance }).await;
}

async fn say(client: &Client, word: &str) {
    let sql = format!("INSERT INTO said VALUES ('{word}')");
    client.batch_execute(&sql).await.unwrap();
}

async fn heard(world: &World, standby: InstanceId) -> Vec<String> {
    let client = world.client(standby).await;
    let rows = client
        .query("SELECT word FROM said ORDER BY word", &[])
        .await;
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

/// It has everything that the primary has, and shows it.
async fn follows(world: &World, standby: InstanceId, primary: InstanceId, timeline: u32) {
    let lsn = world.mark(primary).await;
    world
        .wait_until(standby, "it follows", |seen| {
            let replayed = seen.replayed_lsn >= Some(lsn);
            seen.streaming == Some(true)
                && seen.timeline == Some(TimelineId(timeline))
                && !seen.disarmed
                && replayed
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_moves_to_another_release_and_streams_again() {
    let (world, release, primary) = World::with_primary().await;
    let standby = world.standby_of(primary, release.clone()).await;
    let another = another_release(&world).await;
    let before = world.see(standby).await;
    let dry_start = HostQuery::DryStart {
        instance: standby,
        release: another.clone(),
    };
    let nothing = DryStart::default();
    assert_eq!(
        world.agent.query(dry_start).await.unwrap(),
        Answer::DryStart { dry_start: nothing },
        "nothing stands against it"
    );
    let patch = |instance| HostCommand::PatchStandby {
        instance,
        release: another.clone(),
    };
    world.done(patch(standby)).await;
    let after = world.see(standby).await;
    assert_eq!(after.release, Some(another.clone()));
    assert!(before.run.is_some() && after.run.is_some() && before.run != after.run);
    follows(&world, standby, primary, 1).await;

    world.done(patch(standby)).await;
    assert_eq!(world.see(standby).await.run, after.run, "twice is once");

    // What was set meanwhile would be lost with a promotion.
    let client = world.client(primary).await;
    for set in ["work_mem = '9MB'", "synchronous_standby_names = 'nobody'"] {
        let sql = format!("ALTER SYSTEM SET {set}");
        client.batch_execute(&sql).await.unwrap();
    }
    world.done(patch(standby)).await;
    assert_ne!(world.see(standby).await.run, after.run);
    let client = world.client(standby).await;
    for (name, value) in [("work_mem", "9MB"), ("synchronous_standby_names", "")] {
        let row = client
            .query_one(&format!("SHOW {name}"), &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), value);
    }
    follows(&world, standby, primary, 1).await;
    let refused = world.send(patch(primary)).await.unwrap_err();
    assert!(refused.to_string().contains("is no standby"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_primary_that_wrote_nothing_more_follows_as_it_is_and_can_take_over_again() {
    let (world, release, first) = World::with_primary().await;
    let client = world.client(first).await;
    client
        .batch_execute("CREATE TABLE said (word text)")
        .await
        .unwrap();
    say(&client, "before").await;
    let second = world.standby_of(first, release.clone()).await;
    let mut timeline = 1;
    for (old, new) in [(first, second), (second, first)] {
        let marker = world.mark(old).await;
        assert!(world.received(new, marker).await);
        let runs = world.send(rejoin(&world, old, new, &release)).await;
        assert!(runs.is_err(), "a primary that runs does not rejoin");
        take_out(&world, old).await;
        world.done(HostCommand::Promote { instance: new }).await;
        timeline += 1;
        world
            .done(HostCommand::KillInstance { instance: old })
            .await;
        say(&world.client(new).await, &format!("on {timeline}")).await;
        let rejoined = world.done(rejoin(&world, old, new, &release)).await;
        assert_eq!(rejoined, Outcome::Rejoined { rewound: false });
        follows(&world, old, new, timeline).await;
        let rejoined = world.done(rejoin(&world, old, new, &release)).await;
        assert_eq!(
            rejoined,
            Outcome::Rejoined { rewound: false },
            "twice is once"
        );
    }
    assert_eq!(heard(&world, second).await, ["before", "on 2", "on 3"]);
    let seen = world.see(second).await;
    assert!(matches!(seen.backup, Some(BackupProgress::Done { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_primary_that_went_further_is_rewound() {
    let (world, release, old) = World::with_primary().await;
    let client = world.client(old).await;
    client
        .batch_execute("CREATE TABLE said (word text)")
        .await
        .unwrap();
    say(&client, "before").await;
    let new = world.standby_of(old, release.clone()).await;
    let marker = world.mark(old).await;
    assert!(world.received(new, marker).await);
    world
        .done(HostCommand::StopInstance { instance: new })
        .await;
    say(&client, "never heard").await;
    take_out(&world, old).await;
    world
        .done(HostCommand::KillInstance { instance: old })
        .await;
    world
        .done(HostCommand::StartInstance { instance: new })
        .await;
    world.done(HostCommand::Promote { instance: new }).await;
    say(&world.client(new).await, "after").await;

    let rejoined = world.done(rejoin(&world, old, new, &release)).await;
    assert_eq!(rejoined, Outcome::Rejoined { rewound: true });
    follows(&world, old, new, 2).await;
    assert_eq!(heard(&world, old).await, ["after", "before"]);
    assert_ne!(
        world.see(old).await.identity,
        world.see(new).await.identity,
        "each copy has a name of its own"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_rewind_left_half_done_is_never_started() {
    let (world, release, old) = World::with_primary().await;
    let new = world.standby_of(old, release.clone()).await;
    world
        .done(HostCommand::StopInstance { instance: new })
        .await;
    take_out(&world, old).await;
    world
        .done(HostCommand::KillInstance { instance: old })
        .await;
    world
        .done(HostCommand::StartInstance { instance: new })
        .await;
    world.done(HostCommand::Promote { instance: new }).await;
    // What the program needs first is not there: it ends in the middle of its work.
    std::fs::remove_file(world.data(old).join("PG_VERSION")).unwrap();
    let failed = world
        .send(rejoin(&world, old, new, &release))
        .await
        .unwrap_err();
    assert!(failed.to_string().contains("pg_rewind"), "{failed}");
    for command in [
        HostCommand::StartInstance { instance: old },
        rejoin(&world, old, new, &release),
    ] {
        let refused = world.send(command).await.unwrap_err();
        assert!(refused.to_string().contains("not complete"), "{refused}");
    }
    world
        .done(HostCommand::RemoveInstance { instance: old })
        .await;
}
