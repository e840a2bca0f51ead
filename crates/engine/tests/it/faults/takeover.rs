//! Two engines of different owners: one is stopped at a step until its claim has run out and the
//! other has finished its work; then it goes on, believing that it still has the claim.

use std::sync::{Arc, mpsc};
use std::thread;

use futures_util::stream::{self, StreamExt};
use tokio::sync::oneshot;
use upkeep_engine::{Boundary, Unwatched};
use upkeep_store::Store;
use upkeep_testkit::sim::Sim;

use crate::case::{Case, Disturbance, picture, run, tables, wrong};
use crate::stage::{PATIENCE, RELEASES, Stage, engine, server, wait_until};
use crate::table::Step;
use crate::undisturbed::Undisturbed;
use crate::watch::{At, Then, Watch};

/// Most of each is waiting; each has two engines, and their connections.
const AT_A_TIME: usize = 48;

/// An engine on a thread of its own, which a boundary can stop as a whole: renewals, sweeps and all.
pub(super) struct Stopped {
    watch: Arc<Watch>,
    go_on: mpsc::Sender<()>,
    end: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Stopped {
    pub(super) fn start(stage: &Stage, sim: &Arc<Sim>, at: At) -> Self {
        let (go_on, until) = mpsc::channel();
        let watch = Watch::new(sim, Some((at, Then::Stop(until))));
        let (end, ended) = oneshot::channel();
        let (config, sim, seen) = (stage.config(), Arc::clone(sim), watch.clone());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime is made").block_on(async {
                let opened = Store::open(config).await;
                let store = Arc::new(opened.expect("the store opens"));
                let engine = engine(&store, &sim, seen, "stopped");
                tokio::select! {
                    () = engine.run() => {}
                    _ = ended => {}
                }
            });
        });
        Self {
            watch,
            go_on,
            end,
            thread,
        }
    }

    pub(super) async fn reached(&self) {
        self.watch.reached().await;
    }

    /// Goes on, and is done with the step at which it was stopped.
    async fn go_on(self, at: At) {
        let watch = self.watch.clone();
        let tried = wait_until("it has tried its step", async || {
            watch.crossed(at.procedure, at.step, Boundary::AfterEffect)
        });
        self.go_on_until(tried).await;
    }

    pub(super) async fn go_on_until<T>(self, reached: impl Future<Output = T>) -> T {
        self.go_on.send(()).expect("it is still stopped");
        let reached = reached.await;
        let _ = self.end.send(());
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        joined.expect("it is waited for").expect("it ends well");
        reached
    }
}

/// How many calls of the first engine were refused after the second had finished.
async fn overtake(stage: &Stage, case: &Case, step: &Step, expected: &str) -> u32 {
    let sim = Arc::new(Sim::new(&RELEASES));
    case.lead(&sim);
    let procedure = case.table.procedure;
    let at = At {
        procedure,
        step: step.name,
        boundary: Boundary::BeforeEffect,
    };
    let idle = engine(&stage.store, &sim, Arc::new(Unwatched), "nobody");
    let database = case.begin(stage, &idle, &sim).await;
    let first = Stopped::start(stage, &sim, at);
    first.reached().await;

    let second = run(&engine(
        &stage.store,
        &sim,
        Watch::new(&sim, None),
        "second",
    ));
    let ended = stage.end(database, PATIENCE).await;
    assert_eq!(
        picture(stage, &sim, database).await,
        expected,
        "{case:?} {at:?}"
    );
    let stale_before = sim.stale_calls();
    first.go_on(at).await;

    assert_eq!(
        wrong(stage, &sim, ended).await,
        [] as [&str; 0],
        "{case:?} {at:?}"
    );
    assert_eq!(
        picture(stage, &sim, database).await,
        expected,
        "{case:?} {at:?}"
    );
    second.abort();
    let _ = second.await;
    sim.stale_calls() - stale_before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_engine_does_late_changes_nothing() {
    let undisturbed = Undisturbed::play().await;
    let server = server().await;
    let mut overtaken = Vec::new();
    for table in tables() {
        for step in table.disturbed().copied().collect::<Vec<_>>() {
            let stage = Stage::new(&server, &format!("stage_{}", overtaken.len())).await;
            let case = Case::new(&table, step.way, Disturbance::None);
            let expected = &undisturbed.of(&case).picture;
            overtaken.push(async move { overtake(&stage, &case, &step, expected).await });
        }
    }
    let overtaken = stream::iter(overtaken).buffer_unordered(AT_A_TIME);
    let refused: Vec<u32> = overtaken.collect().await;
    let steps = refused.len();
    let stale = refused.into_iter().filter(|&calls| calls > 0).count();
    assert!(
        stale > steps / 2,
        "only {stale} of {steps} late engines were refused a call"
    );
}
