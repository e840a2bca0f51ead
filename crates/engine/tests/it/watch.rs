//! Watches the boundaries of steps: tells the world which step makes the calls to come, and ends or
//! stops an engine exactly there.

use std::sync::{Arc, Mutex, mpsc};

use tokio::sync::Notify;
use upkeep_engine::{Boundaries, Boundary};
use upkeep_testkit::sim::Sim;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) procedure: &'static str,
    pub(crate) step: &'static str,
    pub(crate) boundary: Boundary,
}

/// What becomes of the engine at a boundary, once.
pub(crate) enum Then {
    /// The driver ends there without another word, as if its process had been killed.
    Die,
    /// The whole thread stops until it is let go, as if its process had been stopped.
    Stop(mpsc::Receiver<()>),
}

pub(crate) struct Watch {
    sim: Arc<Sim>,
    planned: Mutex<Option<(At, Then)>>,
    reached: Notify,
    crossed: Mutex<Vec<(String, String, Boundary)>>,
}

impl Watch {
    pub(crate) fn new(sim: &Arc<Sim>, planned: Option<(At, Then)>) -> Arc<Self> {
        Arc::new(Self {
            sim: Arc::clone(sim),
            planned: Mutex::new(planned),
            reached: Notify::new(),
            crossed: Mutex::default(),
        })
    }

    pub(crate) fn crossed(&self, procedure: &str, step: &str, boundary: Boundary) -> bool {
        let crossed = self.crossed.lock().expect("nothing panics under this lock");
        crossed.contains(&(procedure.to_owned(), step.to_owned(), boundary))
    }

    fn note(&self, procedure: &str, step: &str, boundary: Boundary) {
        let mut crossed = self.crossed.lock().expect("nothing panics under this lock");
        crossed.push((procedure.to_owned(), step.to_owned(), boundary));
    }

    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    fn take(&self, procedure: &str, step: &str, boundary: Boundary) -> Option<Then> {
        let mut planned = self.planned.lock().expect("nothing panics under this lock");
        let here = |(at, _): &mut (At, Then)| {
            (at.procedure, at.step, at.boundary) == (procedure, step, boundary)
        };
        planned.take_if(here).map(|(_, then)| then)
    }
}

impl Boundaries for Watch {
    fn cross(&self, procedure: &str, step: &str, boundary: Boundary) {
        if boundary == Boundary::BeforeEffect {
            self.sim.enter(procedure, step);
        }
        self.note(procedure, step, boundary);
        match self.take(procedure, step, boundary) {
            None => {}
            Some(Then::Die) => {
                self.reached.notify_one();
                std::panic::resume_unwind(Box::new("killed at a boundary"));
            }
            Some(Then::Stop(until)) => {
                self.reached.notify_one();
                // An error means that nobody will ever let it go: it goes on as well.
                let _ = until.recv();
            }
        }
    }
}
