//! Who gets in, and what the others are told.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use upkeep_wire::startup::{Startup, ssl_request};

use crate::postgres::Server;
use crate::raw::RawClient;
use crate::world::{DBNAME, World};

async fn refusal(world: &World, user: &str, password: &str, dbname: &str) -> (String, String) {
    let Err(error) = world.connect_as(user, password, dbname).await else {
        panic!("{user} got in");
    };
    let error = error.as_db_error().expect("an error in PostgreSQL's words");
    (error.code().code().to_owned(), error.message().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_gets_in_and_the_others_are_told_what_postgresql_would_say() {
    let world = World::new().await;
    let client = world.connect().await;
    let row = client
        .query_one("SELECT current_user::text, current_database()::text", &[])
        .await
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), ("ann", "shop"));

    let told = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    assert_eq!(
        refusal(&world, "ann", "wrong", DBNAME).await,
        told("28P01", "password authentication failed for user \"ann\"")
    );
    assert_eq!(
        refusal(&world, "nobody", "secret", DBNAME).await,
        told(
            "28P01",
            "password authentication failed for user \"nobody\""
        )
    );
    assert_eq!(
        refusal(&world, "eve", "secret", DBNAME).await,
        told("28P01", "password authentication failed for user \"eve\"")
    );
    assert_eq!(
        refusal(&world, "bob", "secret", DBNAME).await,
        told("28000", "role \"bob\" is not permitted to log in")
    );
    assert_eq!(
        refusal(&world, "ann", "secret", "nowhere").await,
        told("3D000", "database \"nowhere\" does not exist")
    );
    assert_eq!(refusal(&world, "old", "secret", DBNAME).await.0, "28000");
    assert_eq!(
        refusal(&world, "lone", "secret", DBNAME).await,
        told("53300", "too many connections for role \"lone\"")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_counts_from_the_next_login() {
    let world = World::new().await;
    let client = world.connect().await;
    client
        .batch_execute("ALTER ROLE ann PASSWORD 'other'")
        .await
        .unwrap();
    assert_eq!(refusal(&world, "ann", "secret", DBNAME).await.0, "28P01");
    world.connect_as("ann", "other", DBNAME).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_is_declined_and_a_newer_protocol_negotiated_down() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(&ssl_request()).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'N');
    let startup = Startup::new("ann", DBNAME).with_param("_pq_.grease", "1");
    stream.write_all(&startup.to_packet(9999)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'v');
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_startup_packet_arrive() {
    let world = World::new().await;
    let startup = Startup::new("ann", DBNAME)
        .with_param("options", "-c work_mem=7MB")
        .with_param("application_name", "first");
    let mut client = RawClient::connect_with(world.address, &startup, "secret").await;
    assert_eq!(client.rows("SHOW work_mem").await, [["7MB"]]);
    let pid = client.rows("SELECT pg_backend_pid()").await[0][0].clone();
    assert_eq!(pid, client.key.pid.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_another_cluster_is_not_used() {
    let world = World::new().await;
    let mut target = world.primary.target().await;
    target.identity.system_identifier += 1;
    target.instance = upkeep_domain::id::InstanceId(uuid::Uuid::from_u128(9));
    world.route(&target, crate::world::FENCE).await.unwrap();
    assert_eq!(refusal(&world, "ann", "secret", DBNAME).await.0, "57P03");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_works_in_another_data_directory_is_not_used() {
    let world = World::new().await;
    let mut target = world.primary.target().await;
    target.identity.token = "directory-of-its-copy".to_owned();
    target.instance = upkeep_domain::id::InstanceId(uuid::Uuid::from_u128(9));
    world.route(&target, crate::world::FENCE).await.unwrap();
    assert_eq!(refusal(&world, "ann", "secret", DBNAME).await.0, "57P03");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_at_the_end_of_a_route_takes_no_sessions_until_it_is_promoted() {
    let world = World::new().await;
    let standby = Server::standby(&world.primary).await;
    let target = standby.target().await;
    world.route(&target, crate::world::FENCE).await.unwrap();
    assert_eq!(refusal(&world, "ann", "secret", DBNAME).await.0, "57P03");
    let admin = standby.admin("postgres").await;
    admin.query_one("SELECT pg_promote()", &[]).await.unwrap();
    world.connect().await;
}
