//! Everything passes through unchanged.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt, future};
use upkeep_wire::message::{ErrorFields, Notification, frontend};

use crate::raw::{cancel, rows, tags};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_every_kind_are_answered() {
    let world = World::new().await;
    let client = world.connect().await;
    client
        .batch_execute("CREATE TABLE t (id int primary key, v text)")
        .await
        .unwrap();
    let insert = client
        .prepare("INSERT INTO t VALUES ($1, $2)")
        .await
        .unwrap();
    let inserts = (0..200).map(|id| {
        let (client, insert) = (&client, &insert);
        async move { client.execute(insert, &[&id, &"x".repeat(2000)]).await }
    });
    future::try_join_all(inserts).await.unwrap();
    let row = client
        .query_one("SELECT count(*), sum(length(v)) FROM t", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (200, 400_000));

    let error = client.query("SELECT 1/0", &[]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22012");
    let big = client
        .query_one("SELECT repeat('y', 5000000)", &[])
        .await
        .unwrap();
    assert_eq!(big.get::<_, String>(0).len(), 5_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_copied_in_and_out() {
    let world = World::new().await;
    let client = world.connect().await;
    client
        .batch_execute("CREATE TABLE t (id int)")
        .await
        .unwrap();
    let sink = client.copy_in("COPY t FROM STDIN").await.unwrap();
    let mut sink = std::pin::pin!(sink);
    for chunk in 0..20 {
        let lines: Vec<_> = (0..1000)
            .map(|line| (chunk * 1000 + line).to_string())
            .collect();
        sink.send(std::io::Cursor::new((lines.join("\n") + "\n").into_bytes()))
            .await
            .unwrap();
    }
    assert_eq!(sink.finish().await.unwrap(), 20_000);
    let out = client.copy_out("COPY t TO STDOUT").await.unwrap();
    let bytes: Vec<_> = out.map(|chunk| chunk.unwrap().len()).collect().await;
    assert_eq!(bytes.len(), 20_000);

    let mut raw = world.raw().await;
    let mut failing = Vec::new();
    frontend::query(&mut failing, "COPY t FROM STDIN");
    frontend::copy_data(&mut failing, b"1\n");
    frontend::copy_fail(&mut failing, "enough");
    raw.send(&failing).await;
    assert_eq!(tags(&raw.until_ready().await), "GEZ");
    assert_eq!(raw.rows("SELECT count(*) FROM t").await, [["20000"]]);
}

async fn it_sleeps(world: &World) {
    let admin = world.primary.admin("shop").await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    crate::world::wait_until("it sleeps", Duration::from_secs(5), async || {
        admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_statement_is_cancelled_and_an_idle_session_is_not() {
    let world = World::new().await;
    let mut client = world.raw().await;
    let mut sleep = Vec::new();
    frontend::query(&mut sleep, "SELECT pg_sleep(30)");
    client.send(&sleep).await;
    it_sleeps(&world).await;
    cancel(world.address, &client.key).await;
    let answer = client.until_ready().await;
    let error = answer.iter().find(|message| message.tag == b'E').unwrap();
    assert_eq!(ErrorFields::read(&error.payload).unwrap().code, "57014");
    cancel(world.address, &client.key).await;
    client.rows("SELECT pg_sleep(0.05)").await;
    let mut guess = client.key.clone();
    guess.secret[0] ^= 1;
    client.send(&sleep).await;
    it_sleeps(&world).await;
    cancel(world.address, &guess).await;
    cancel(world.address, &client.key).await;
    client.until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_reaches_an_idle_listener() {
    let world = World::new().await;
    let mut listener = world.raw().await;
    listener.rows("LISTEN news").await;
    world
        .connect()
        .await
        .batch_execute("NOTIFY news, 'hello'")
        .await
        .unwrap();
    let message = listener.next().await;
    let news = Notification::read(&message.payload).unwrap();
    assert_eq!((news.channel, news.text), (&b"news"[..], &b"hello"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_cut_anywhere_gives_the_same_answers() {
    let world = World::new().await;
    let mut client = world.raw().await;
    let mut pipeline = Vec::new();
    for sql in ["SELECT 1", "SELECT 1/0", "SELECT 3"] {
        frontend::parse(&mut pipeline, "", sql, &[]);
        frontend::bind(&mut pipeline, "", "", &[]);
        frontend::execute(&mut pipeline, "", 0);
        frontend::sync(&mut pipeline);
    }
    for size in [1, 3, 7, 1000] {
        for chunk in pipeline.chunks(size) {
            client.send(chunk).await;
        }
        let mut answers = String::new();
        for _ in 0..3 {
            answers += &tags(&client.until_ready().await);
        }
        assert_eq!(answers, "12DCZ1EZ12DCZ", "cut every {size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_objects_work() {
    let world = World::new().await;
    let mut client = world.raw().await;
    let made = client
        .rows("SELECT lo_from_bytea(0, convert_to(repeat('z', 300000), 'UTF8'))")
        .await;
    let sql = format!("SELECT length(lo_get({}))", made[0][0]);
    assert_eq!(rows(&client.query(&sql).await), [["300000"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_said_all_still_gets_its_answer() {
    let world = World::new().await;
    let mut client = world.raw().await;
    let mut last = Vec::new();
    frontend::query(&mut last, "SELECT repeat('x', 100000) FROM pg_sleep(0.1)");
    client.send(&last).await;
    client.stop_sending().await;
    assert_eq!(tags(&client.until_ready().await), "TDCZ");
    assert!(client.try_next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_takes_its_server_session_along() {
    let world = World::new().await;
    let client = world.connect().await;
    client.query_one("SELECT 1", &[]).await.unwrap();
    drop(client);
    drop(world.raw().await);
    let admin = world.primary.admin("shop").await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ann'";
    crate::world::wait_until("nobody is left", Duration::from_secs(5), async || {
        let left: i64 = admin.query_one(sql, &[]).await.unwrap().get(0);
        left == 0 && world.status().await.sessions == 0
    })
    .await;
}

/// The median of `SELECT 1`, prepared.
async fn median(client: &tokio_postgres::Client) -> Duration {
    let statement = client.prepare("SELECT 1").await.unwrap();
    let mut times = Vec::new();
    for _ in 0..1000 {
        let began = Instant::now();
        client.query_one(&statement, &[]).await.unwrap();
        times.push(began.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_takes_hardly_longer_than_without_the_endpoint() {
    let world = World::new().await;
    let direct = median(&world.primary.admin("shop").await).await;
    let through = median(&world.connect().await).await;
    println!("direct {direct:?}, through the endpoint {through:?}");
    assert!(
        through < direct + Duration::from_millis(5),
        "{direct:?} {through:?}"
    );
}
