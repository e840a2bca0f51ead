//! Sessions that move to a new server session, of the same server, with all that they are.

use upkeep_domain::hold::Felt;
use upkeep_domain::ports::Traffic;
use upkeep_wire::message::{ErrorFields, ParameterStatus, frontend};
use upkeep_wire::startup::Startup;

use crate::raw::{RawClient, notification, rows, tags};
use crate::world::{DBNAME, FENCE, World};

/// Everything a session can say of itself.
const SELF: &str = "
SELECT 'setting', name, setting FROM pg_settings WHERE source = 'session'
UNION ALL SELECT 'custom', 'app.tenant', current_setting('app.tenant', true)
UNION ALL SELECT 'custom', 'app.set_by_function', current_setting('app.set_by_function', true)
UNION ALL SELECT 'role', current_user::text, session_user::text
UNION ALL SELECT 'statement', name, parameter_types::text FROM pg_prepared_statements
UNION ALL SELECT 'channel', c, '' FROM pg_listening_channels() c
UNION ALL SELECT 'lock', classid || '/' || objid || '/' || objsubid, mode FROM pg_locks
 WHERE locktype = 'advisory' AND pid = pg_backend_pid()
ORDER BY 1, 2";

const DRESS: [&str; 15] = [
    "SET app.tenant = '4''2'",
    "SELECT set_config('app.set_by_function', 'yes', false)",
    "SET search_path = 'evil', \"we ird\", public",
    "SET work_mem = '7MB'",
    "SET TimeZone = 'Europe/Prague'",
    "SET DateStyle = 'German'",
    "SET statement_timeout = '31s'",
    "SET default_transaction_isolation = 'serializable'",
    "SET default_transaction_read_only = on",
    "SET default_transaction_deferrable = on",
    "SELECT 'x'; PREPARE p1(int) AS SELECT $1 + 1; SELECT 'y;'",
    "LISTEN \"Bar \"\"baz\"",
    "SELECT pg_advisory_lock(-5)",
    "SELECT pg_advisory_lock_shared(7, -8)",
    "SET ROLE helper",
];

async fn dressed(world: &World) -> RawClient {
    let mut client = world.raw().await;
    for sql in DRESS {
        client.rows(sql).await;
    }
    let mut parse = Vec::new();
    frontend::parse(&mut parse, "st 1", "select $1::int4 + $2, $3::text", &[]);
    frontend::sync(&mut parse);
    client.send(&parse).await;
    assert_eq!(tags(&client.until_ready().await), "1Z");
    client
}

async fn execute(
    client: &mut RawClient,
    statement: &str,
    values: &[Option<&str>],
) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    frontend::bind(&mut out, "", statement, values);
    frontend::execute(&mut out, "", 0);
    frontend::sync(&mut out);
    client.send(&out).await;
    rows(&client.until_ready().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_session_is_what_it_was() {
    let world = World::new().await;
    let mut client = dressed(&world).await;
    let before = client.rows(SELF).await;
    assert!(before.len() > 15, "{before:?}");
    let pid = client.rows("SELECT pg_backend_pid()").await;
    for prepared in [true, false] {
        world.move_to_itself(prepared).await;
        assert_eq!(client.rows(SELF).await, before, "prepared: {prepared}");
        let sum = execute(&mut client, "st 1", &[Some("40"), Some("2"), Some("x")]).await;
        assert_eq!(sum, [["42", "x"]]);
        assert_eq!(client.rows("EXECUTE p1(1)").await, [["2"]]);
    }
    assert_ne!(
        client.rows("SELECT pg_backend_pid()").await,
        pid,
        "it has not moved at all"
    );
    client.rows("RESET ROLE").await;
    client.rows("DISCARD ALL").await;
    assert_eq!(client.rows("SHOW work_mem").await, [["4MB"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_what_it_was_when_its_server_was_restarted() {
    let mut world = World::new().await;
    let mut client = dressed(&world).await;
    let before = client.rows(SELF).await;
    let target = world.primary.target().await;
    let read = world.endpoint.read_sessions(DBNAME).await.unwrap();
    assert_eq!((read.sessions, read.spares), (1, 0));
    world.hold_all().await;
    world.endpoint.seal(DBNAME, FENCE).await.unwrap();
    world.primary.restart().await;
    world.release_onto(&target).await;
    assert_eq!(client.rows(SELF).await, before);
    let sum = execute(&mut client, "st 1", &[Some("40"), Some("2"), Some("x")]).await;
    assert_eq!(sum, [["42", "x"]]);
    let mut newcomer = world.raw().await;
    assert_eq!(newcomer.rows("SELECT 1").await, [["1"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_after_the_preparation_moves_too() {
    let world = World::new().await;
    let mut client = dressed(&world).await;
    let target = world.primary.target().await;
    let prepared = world.prepare(&target).await;
    assert_eq!((prepared.sessions, prepared.spares), (1, 1));
    for sql in [
        "RESET ROLE",
        "RESET work_mem",
        "DEALLOCATE p1",
        "SET lock_timeout = 77",
        "UNLISTEN *",
    ] {
        client.rows(sql).await;
    }
    let before = client.rows(SELF).await;
    world.hold_all().await;
    world.release_onto(&target).await;
    assert_eq!(client.rows(SELF).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unnamed_statement_parsed_before_the_move_is_bound_after_it() {
    let world = World::new().await;
    let mut client = world.raw().await;
    let mut parse = Vec::new();
    frontend::parse(&mut parse, "", "select $1::int4 * 2", &[]);
    frontend::sync(&mut parse);
    client.send(&parse).await;
    client.until_ready().await;
    for prepared in [false, true] {
        world.move_to_itself(prepared).await;
        assert_eq!(execute(&mut client, "", &[Some("21")]).await, [["42"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_notification_is_lost_and_own_ones_keep_their_sender() {
    let world = World::new().await;
    let (mut listener, mut notifier) = (world.raw().await, world.raw().await);
    listener.rows("LISTEN news").await;
    let mut sent = 0;
    for round in 0..8 {
        for _ in 0..25 {
            sent += 1;
            notifier.rows(&format!("NOTIFY news, '{sent}'")).await;
        }
        world.move_to_itself(round % 2 == 0).await;
    }
    listener.rows("NOTIFY news, 'own'").await;
    // Those that came with statements of the listener's own were read with their answers.
    let mut heard = listener.heard();
    while heard.last().is_none_or(|(_, text)| text != "own") {
        heard.push(notification(&listener.next().await));
    }
    let texts: Vec<_> = heard.iter().map(|(_, text)| text.clone()).collect();
    let mut expected: Vec<_> = (1..=sent).map(|n| n.to_string()).collect();
    expected.push("own".to_owned());
    assert_eq!(texts, expected);
    assert_eq!(heard.last().unwrap().0, listener.key.pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_lock_is_held_by_its_session_throughout() {
    let world = World::new().await;
    let (mut owner, mut other) = (world.raw().await, world.raw().await);
    owner.rows("SELECT pg_advisory_lock(1)").await;
    for prepared in [true, false] {
        world.move_to_itself(prepared).await;
        assert_eq!(other.rows("SELECT pg_try_advisory_lock(1)").await, [["f"]]);
    }
    assert_eq!(owner.rows("SELECT pg_advisory_unlock(1)").await, [["t"]]);
    assert_eq!(other.rows("SELECT pg_try_advisory_lock(1)").await, [["t"]]);
}

/// What the last hold was like, once all of it has been seen.
async fn felt(world: &World) -> Felt {
    let mut felt = None;
    crate::world::wait_until(
        "the answer",
        std::time::Duration::from_secs(7),
        async || {
            felt = world.endpoint.felt(DBNAME).await.unwrap();
            felt.is_some()
        },
    )
    .await;
    felt.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_carried_is_told_to_reconnect_and_counted() {
    let world = World::new().await;
    let admin = world.primary.admin("postgres").await;
    admin
        .batch_execute("ALTER ROLE ann REPLICATION")
        .await
        .unwrap();
    let (mut temporary, mut cursor, mut plain) =
        (world.raw().await, world.raw().await, world.raw().await);
    temporary.rows("CREATE TEMP TABLE scratch (n int)").await;
    let startup = Startup::new("ann", DBNAME).with_param("replication", "database");
    let mut stream = RawClient::connect_with(world.address, &startup, "secret").await;
    cursor.rows("DECLARE c CURSOR WITH HOLD FOR SELECT 1").await;
    let target = world.primary.target().await;
    let prepared = world.prepare(&target).await;
    assert_eq!((prepared.sessions, prepared.spares), (4, 1));
    assert_eq!(prepared.unmovable.get("replication connection"), Some(&1));
    assert_eq!(prepared.unmovable.get("temporary objects"), Some(&1));
    assert_eq!(prepared.unmovable.get("cursor WITH HOLD"), Some(&1));
    world.hold_all().await;
    world.release_same().await;
    assert_eq!(
        temporary.rows("SELECT count(*) FROM scratch").await,
        [["0"]],
        "nobody moved"
    );

    world.hold_all().await;
    world.release_onto(&target).await;
    for closed in [&mut temporary, &mut cursor, &mut stream] {
        let farewell = ErrorFields::read(&closed.next().await.payload).unwrap();
        assert_eq!(
            (farewell.severity.as_str(), farewell.code.as_str()),
            ("FATAL", "57P01")
        );
    }
    assert_eq!(plain.rows("SELECT 1").await, [["1"]]);
    let felt = felt(&world).await;
    assert_eq!((felt.sessions_held, felt.sessions_moved), (4, 1));
    assert_eq!(felt.sessions_closed.values().sum::<u32>(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_state_could_not_be_read_is_carried_and_counted() {
    let world = World::new().await;
    let (mut opaque, mut long, _plain) = (world.raw().await, world.raw().await, world.raw().await);
    opaque
        .rows("SELECT set_config('app.' || 'tenant', '1', false)")
        .await;
    let mut parse = Vec::new();
    let sql = format!("select '{}'", "x".repeat(70_000));
    frontend::parse(&mut parse, "", &sql, &[]);
    frontend::sync(&mut parse);
    long.send(&parse).await;
    assert_eq!(tags(&long.until_ready().await), "1Z");
    let target = world.primary.target().await;
    let prepared = world.prepare(&target).await;
    let expected = [
        ("custom settings whose names are not known".to_owned(), 1),
        ("unnamed statement too long to be kept".to_owned(), 1),
    ];
    assert_eq!(prepared.at_risk, expected.clone().into());
    world.hold_all().await;
    world.release_onto(&target).await;
    let felt = felt(&world).await;
    assert_eq!((felt.sessions_moved, felt.sessions_closed.len()), (3, 0));
    assert_eq!(felt.sessions_at_risk, expected.into());
}

/// As a cancel that comes late: the probe is hit while it runs, each time.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_probe_is_cancelled_goes_on() {
    let world = World::new().await;
    let mut client = world.raw().await;
    // So many that looking at them takes longer than a statement may.
    client
        .rows("SELECT count(pg_advisory_lock(n)) FROM generate_series(1, 5000) n")
        .await;
    client.rows("SET statement_timeout = '1ms'").await;
    let target = world.primary.target().await;
    let prepared = world.prepare(&target).await;
    assert_eq!(prepared.unmovable.values().sum::<u32>(), 1, "{prepared:?}");
    client.rows("RESET statement_timeout").await;
    assert_eq!(client.rows("SELECT 1").await, [["1"]]);
    let left = "SELECT count(*) FROM pg_prepared_statements";
    assert_eq!(client.rows(left).await, [["0"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_key_leads_to_the_session_after_its_move() {
    let world = World::new().await;
    let client = world.connect().await;
    let token = client.cancel_token();
    world.move_to_itself(true).await;
    let sleeping = tokio::spawn(async move { client.query("SELECT pg_sleep(30)", &[]).await });
    crate::world::wait_until(
        "it is cancelled",
        std::time::Duration::from_secs(5),
        async || {
            token.cancel_query(tokio_postgres::NoTls).await.unwrap();
            sleeping.is_finished()
        },
    )
    .await;
    let error = sleeping.await.unwrap().unwrap_err();
    assert_eq!(error.code().unwrap().code(), "57014");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_hears_of_a_parameter_that_differs_on_the_new_server() {
    let world = World::new().await;
    let mut client = world.raw().await;
    let admin = world.primary.admin("postgres").await;
    admin
        .batch_execute("ALTER ROLE ann SET TimeZone = 'Asia/Tokyo'")
        .await
        .unwrap();
    world.move_to_itself(false).await;
    let message = client.next().await;
    let status = ParameterStatus::read(&message.payload).unwrap();
    assert_eq!(
        (status.name, status.value),
        (&b"TimeZone"[..], &b"Asia/Tokyo"[..])
    );
}
