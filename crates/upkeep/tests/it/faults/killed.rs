//! The old primary's postmaster is killed while clients are held, and one of its backends lives on, with a
//! transaction that it was told to commit.

use std::sync::Arc;

use crate::direct::primary;
use crate::witness::Witness;
use crate::world::{World, clean_stop, connect, options};
use crate::{left, load};

const SLIPPED_IN: &str = "SELECT EXISTS (SELECT FROM slipped_in)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_backend_that_outlives_its_server_commits_nothing_that_is_lost() {
    for options in [options(), clean_stop()] {
        let world = Arc::new(World::with(options).await);
        let load = load::start_synchronous(&world).await;
        let witness = Witness::start(&world).await;
        let application = world.connect().await;
        let make = "CREATE TABLE slipped_in (n int)";
        application.batch_execute(make).await.unwrap();

        let running = world.begin_and_stop_at("seal", "after_commit").await;
        let old = primary(&world).await;
        let late = connect(&world.direct(&old)).await.unwrap();
        let begin = "BEGIN; INSERT INTO slipped_in VALUES (1)";
        late.batch_execute(begin).await.unwrap();
        let backend = old.stand_still("idle in transaction");
        assert_eq!(backend.count(), 1, "{backend:?}");
        let commit = tokio::spawn(async move { late.batch_execute("COMMIT").await });
        world.up.crash_instance(old.pid).unwrap();
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        eprintln!("{} {}", ending.outcome, ending.because);
        assert!(
            ["succeeded", "rolled_back"].contains(&ending.outcome.as_str()),
            "{ending:?}"
        );
        backend.go_on();
        let told = commit.await.unwrap();
        let application = world.connect().await;
        let stored = application.query_one(SLIPPED_IN, &[]).await.unwrap();
        assert_eq!(told.is_ok(), stored.get::<_, bool>(0), "{told:?}");
        left::nothing_but_the_primary(&world, &world.release().await).await;
        witness.saw_one_writer_at_a_time().await;
        load::nothing_lost(load).await;
    }
}
