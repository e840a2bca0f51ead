//! Databases, their roles, who reads verifiers, and the socket that all of it is told through.

use std::time::Instant;

use tokio_postgres::NoTls;
use upkeep_agent::{AgentClient, serve};
use upkeep_domain::host_command::{Answer, HostCommand, HostError, HostQuery, Outcome};
use upkeep_domain::id::HostId;
use upkeep_domain::ports::Hosts;
use uuid::Uuid;

use crate::world::{World, envelope, wait_until};

#[tokio::test]
async fn a_database_is_made_once_and_its_verifier_is_in_no_log() {
    let (world, _, instance) = World::with_primary().await;
    let secret = "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$Xs1h1vM1oLnQxZ6n1tTzZ1aXlB0Yp0m8y3bFQZp3l0A=:0Qy2nKc1gVQe2oT2v9r6yJmXjv3mX7i5s1hW8cX9a3E=";
    let create = |verifier: &str| HostCommand::CreateDatabase {
        instance,
        dbname: "d\"b".to_owned(),
        role: "ro'le".to_owned(),
        verifier: verifier.to_owned(),
    };
    let client = world.client(instance).await;
    client
        .batch_execute("ALTER SYSTEM SET log_statement = 'all'")
        .await
        .unwrap();
    client
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
    // The session that asks is told of the reload in its own time.
    wait_until("statements appear in the log", async || {
        let said = client.batch_execute("SELECT 'seen in the log'").await;
        said.unwrap();
        world.log(instance).contains("seen in the log")
    })
    .await;
    for _ in 0..2 {
        assert_eq!(world.done(create(secret)).await, Outcome::Done);
    }
    assert!(
        !world.log(instance).contains("c2FsdHNh"),
        "the verifier is in the log"
    );
    let refused = world.send(create("a password")).await.unwrap_err();
    assert!(
        refused.to_string().contains("never with a password"),
        "{refused}"
    );

    // The endpoint reads it as its own role, and nothing else.
    let host = world.address(instance).host().to_owned();
    let config = format!("host={host} user=upkeep_endpoint dbname=postgres");
    let (endpoint, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = endpoint
        .query_one(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'ro''le'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), secret);
    assert!(
        endpoint
            .query("SELECT rolsuper FROM pg_authid", &[])
            .await
            .is_err()
    );
    let config = format!("host={host} user=upkeep_endpoint dbname='d\"b'");
    assert!(tokio_postgres::connect(&config, NoTls).await.is_err());

    let usage = HostQuery::Usage {
        instance,
        dbname: "d\"b".to_owned(),
    };
    let Answer::Usage { usage } = world.agent.query(usage).await.unwrap() else {
        panic!()
    };
    assert!(
        usage.size_bytes > 1_000_000 && usage.tables == 0,
        "{usage:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_can_be_told_and_asked_through_the_socket() {
    let (world, _, instance) = World::with_primary().await;
    let socket = world.data(instance).with_file_name("agent.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let serving = tokio::spawn(serve(world.agent.clone(), listener));
    let client = AgentClient::new(&socket).unwrap();
    let host = HostId(Uuid::nil());

    let query = HostQuery::Observe { instance };
    let Answer::Observed { observation } = client.query(host, &query).await.unwrap() else {
        panic!()
    };
    assert!(observation.accepts_connections, "{observation:?}");
    let done = client
        .command(
            host,
            &envelope(HostCommand::Checkpoint { instance, times: 1 }),
        )
        .await;
    assert_eq!(done, Ok(Outcome::Done));
    let mut stale = envelope(HostCommand::StopInstance { instance });
    stale.fence.0 = 1;
    let refused = client.command(host, &stale).await.unwrap_err();
    assert!(matches!(refused, HostError::Stale { .. }), "{refused}");
    let began = Instant::now();
    for _ in 0..100 {
        client.query(host, &HostQuery::Instances).await.unwrap();
    }
    println!("a query through the socket: {:?}", began.elapsed() / 100);

    let activity = HostQuery::Activity {
        instance,
        dbname: "postgres".to_owned(),
    };
    let Answer::Activity { activity } = client.query(host, &activity).await.unwrap() else {
        panic!()
    };
    assert_eq!(activity.bypassing_sessions, 0, "{activity:?}");

    serving.abort();
    let _ = serving.await;
    std::fs::remove_file(&socket).unwrap();
    let gone = AgentClient::new(&socket)
        .unwrap()
        .query(host, &query)
        .await
        .unwrap_err();
    assert!(matches!(gone, HostError::Unknown { .. }), "{gone}");
}
