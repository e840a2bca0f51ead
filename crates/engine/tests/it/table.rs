//! Reading the step tables for what a test needs: the ways through them, and how to be sent there.

use std::fmt;

use upkeep_domain::instance::FenceMeans;
use upkeep_domain::procedure::{Direction, Next, Steps, Verdict};

/// A way through a procedure. Every step lies on one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Everything succeeds.
    Straight,
    /// The last step that allows it is refused: everything is undone.
    Back,
    /// The world moves under a step once.
    Again,
    /// Behind the point of no return something disposable fails, and is made good.
    Disposed,
    /// A follower does not follow, and another is put in its place.
    Replaced,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) way: Way,
    pub(crate) direction: Direction,
    pub(crate) tries: u32,
}

#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) procedure: &'static str,
    /// How the host fences primaries.
    pub(crate) fence: FenceMeans,
    /// Another database follows the one that is worked on.
    pub(crate) followed: bool,
    pub(crate) steps: Vec<Step>,
    /// What is refused to be sent back.
    pub(crate) turning_point: Option<&'static str>,
    /// What may fail behind the point of no return.
    pub(crate) disposable: Option<&'static str>,
}

/// In messages the name is enough.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let followed = if self.followed { ", followed" } else { "" };
        write!(f, "{} ({:?}{followed})", self.procedure, self.fence)
    }
}

impl Table {
    pub(crate) fn of<S: Steps>() -> Self {
        let steps = S::ALL.iter().map(|step| {
            let spec = step.spec();
            Step {
                name: spec.name,
                way: way_to(*step),
                direction: spec.direction,
                tries: spec.tries,
            }
        });
        let undoable = |step: &&S| {
            let direction = step.spec().direction;
            way_to(**step) == Way::Straight && can_be_undone(direction)
        };
        let turning_point = S::ALL.iter().rfind(undoable);
        let disposable = S::ALL.iter().find(|step| {
            let made_good = matches!(step.next(Verdict::Failed), Next::Step(_));
            step.spec().direction == Direction::OnlyForward && made_good
        });
        Self {
            procedure: S::PROCEDURE,
            fence: FenceMeans::Freeze,
            followed: false,
            steps: steps.collect(),
            turning_point: turning_point.map(|step| step.spec().name),
            disposable: disposable.map(|step| step.spec().name),
        }
    }

    /// The steps in which something is to go wrong: of a variant only those that it changes.
    pub(crate) fn disturbed(&self) -> impl Iterator<Item = &Step> {
        const BY_FENCE: [&str; 5] = ["fence", "unfence", "disarm", "rearm", "thaw"];
        const OF_FOLLOWERS: [&str; 7] = [
            "point_followers",
            "point_back",
            "prove_followers",
            "copy_follower",
            "start_follower",
            "catch_up_follower",
            "move_readers",
        ];
        let all = self.fence == FenceMeans::default();
        self.steps
            .iter()
            .filter(move |step| all || BY_FENCE.contains(&step.name))
            .filter(|step| self.followed == OF_FOLLOWERS.contains(&step.name))
    }

    /// The same of a database that another one follows.
    pub(crate) fn followed(self) -> Self {
        Self {
            followed: true,
            ..self
        }
    }

    /// The same on a host that stops primaries.
    pub(crate) fn by_clean_stop(self) -> Self {
        Self {
            fence: FenceMeans::CleanStop,
            ..self
        }
    }

    /// The same, refused at another step: the endpoint refuses nothing.
    pub(crate) fn turning_at(self, step: &'static str) -> Self {
        Self {
            turning_point: Some(step),
            ..self
        }
    }

    /// The ways on which steps lie.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let mut ways: Vec<_> = self.disturbed().map(|step| step.way).collect();
        ways.sort();
        ways.dedup();
        ways
    }
}

pub(crate) fn can_be_undone(direction: Direction) -> bool {
    matches!(direction, Direction::Forward | Direction::PointOfNoReturn)
}

fn way_to<S: Steps>(step: S) -> Way {
    let mut at = S::ALL[0];
    while at != step {
        match at.next(Verdict::Done) {
            Next::Step(next) => at = next,
            Next::End(_) if step.spec().direction == Direction::Back => return Way::Back,
            Next::End(_) if step.spec().direction == Direction::OnlyForward => {
                return if puts_another_in_place(step) {
                    Way::Replaced
                } else {
                    Way::Disposed
                };
            }
            Next::End(_) => return Way::Again,
        }
    }
    Way::Straight
}

/// It lies between a step behind the point of no return that finds the world moved, and the same again.
fn puts_another_in_place<S: Steps>(step: S) -> bool {
    let finds = |found: &&S| found.spec().direction == Direction::OnlyForward;
    S::ALL.iter().filter(finds).any(|found| {
        let mut at = found.next(Verdict::Again);
        if at == found.next(Verdict::Failed) {
            return false;
        }
        while let Next::Step(behind) = at {
            if behind == *found {
                return false;
            }
            if behind == step {
                return true;
            }
            at = behind.next(Verdict::Done);
        }
        false
    })
}
