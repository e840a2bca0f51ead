//! The window of a database, and the week of what is planned: what people may change, and what follows
//! for a maintenance that is planned.

use jiff::{SignedDuration, Timestamp};
use upkeep_domain::maintenance::schedule::{self, Expected, Terms, Week};
use upkeep_domain::maintenance::{Freeze, Window, Zone};
use upkeep_domain::plan::Plan;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_store::{Database, Maintenance, Move, Planned};

use super::store_refusal;
use crate::Engine;

/// A window as it was typed.
#[derive(Clone, Debug)]
pub struct WindowWish {
    pub day: String,
    pub time: String,
    /// UTC when not given.
    pub zone: Option<String>,
}

/// What became of a maintenance that is planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub previously_scheduled_for: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct WindowChange {
    pub previous: Window,
    pub window: Window,
    /// Nothing if none is planned.
    pub moved: Option<Moved>,
}

#[derive(Clone, Debug)]
pub struct Rescheduled {
    pub moved: Moved,
    pub required_by: Option<Timestamp>,
    pub window: Window,
}

impl Engine {
    /// None on plans without one.
    pub fn window(&self, database: &Database) -> Result<Option<Window>, Refusal> {
        let plan = self.world.plans.find(&database.plan)?;
        Ok(Window::of(
            database.id,
            plan,
            database.chosen_window.as_ref(),
        ))
    }

    /// # Errors
    /// A refusal, also when its plan has none.
    pub fn need_window(&self, database: &Database) -> Result<Window, Refusal> {
        let window = self.window(database)?;
        let plan = self.world.plans.find(&database.plan)?;
        window.ok_or_else(|| without_window(plan))
    }

    pub async fn change_window(
        &self,
        database: &Database,
        wish: &WindowWish,
    ) -> Result<WindowChange, Refusal> {
        let previous = self.need_window(database)?;
        let zone = wish.zone.as_deref().map_or(Ok(Zone::UTC), str::parse)?;
        let window = Window::typed(&wish.day, &wish.time, zone)?;
        let planned = self.planned(database).await?;
        let moved = match &planned {
            Some(planned) => {
                let freezes = self.freezes_of(database).await?;
                let terms = self.terms(&planned.maintenance, &window, &freezes).await?;
                Some(moved_into(&planned.maintenance, &terms)?)
            }
            None => None,
        };
        let chosen = self
            .store
            .choose_window(database.id, &window, moved.as_ref())
            .await;
        if !chosen.map_err(|error| store_refusal(&error))? {
            return Err(match planned {
                Some(_) => changed_meanwhile(database),
                None => self.nothing_to_move(database).await?,
            });
        }
        Ok(WindowChange {
            previous,
            window,
            moved: moved.map(|moved| Moved {
                previously_scheduled_for: moved.from,
                scheduled_for: Some(moved.to),
            }),
        })
    }

    /// The week of what is planned. Asked again with the same id it is answered as before, and not moved again.
    pub async fn reschedule(
        &self,
        database: &Database,
        week: Week,
        request_id: &str,
    ) -> Result<Rescheduled, Refusal> {
        let window = self.need_window(database)?;
        let Some(planned) = self.planned(database).await? else {
            return Err(self.nothing_to_move(database).await?);
        };
        let Planned {
            maintenance,
            moved_by_request,
        } = planned;
        let required_by = maintenance.required_by;
        let answer = |moved| Rescheduled {
            moved,
            required_by,
            window: window.clone(),
        };
        if moved_by_request.as_deref() == Some(request_id) {
            return Ok(answer(Moved {
                previously_scheduled_for: maintenance.previously_scheduled_for,
                scheduled_for: maintenance.scheduled_for,
            }));
        }
        let freezes = self.freezes_of(database).await?;
        let terms = self.terms(&maintenance, &window, &freezes).await?;
        let opening = schedule::in_week(&terms, maintenance.scheduled_for, week)?;
        // Nobody is told of a move to where it is.
        if maintenance.scheduled_for == Some(opening.from) {
            return Ok(answer(Moved {
                previously_scheduled_for: maintenance.scheduled_for,
                scheduled_for: maintenance.scheduled_for,
            }));
        }
        let moved = Move {
            maintenance: maintenance.id,
            from: maintenance.scheduled_for,
            to: opening.from,
            note: None,
            request_id: Some(request_id.to_owned()),
        };
        let done = self.store.move_planned(&moved).await;
        if !done.map_err(|error| store_refusal(&error))? {
            return Err(changed_meanwhile(database));
        }
        Ok(answer(Moved {
            previously_scheduled_for: moved.from,
            scheduled_for: Some(moved.to),
        }))
    }

    async fn nothing_to_move(&self, database: &Database) -> Result<Refusal, Refusal> {
        let unfinished = self.store.unfinished(database.id).await;
        let unfinished = unfinished.map_err(|error| store_refusal(&error))?;
        let name = &database.name;
        Ok(match unfinished {
            Some(work) if work.database == *name => Refusal::conflict(format!(
                "the {} of `{name}` is being prepared or goes on already: it keeps its time",
                work.procedure
            ))
            .with_hint(format!(
                "`upkeep data:maintenances:cancel {name}` calls it off; it is planned anew then, and can be moved"
            )),
            _ => nothing_planned(database),
        })
    }

    async fn freezes_of(&self, database: &Database) -> Result<Vec<Freeze>, Refusal> {
        let freezes = self.store.freezes_of(database.id).await;
        freezes.map_err(|error| store_refusal(&error))
    }

    /// No notice is kept of what people ask for themselves.
    async fn terms<'a>(
        &self,
        planned: &Maintenance,
        window: &'a Window,
        freezes: &'a [Freeze],
    ) -> Result<Terms<'a>, Refusal> {
        let now = self.store.now().await;
        Ok(Terms {
            now: now.map_err(|error| store_refusal(&error))?,
            window,
            notice: SignedDuration::ZERO,
            required_by: planned.required_by.unwrap_or(Timestamp::MAX),
            freezes,
            expected: Expected::default(),
        })
    }

    pub(super) async fn planned(&self, database: &Database) -> Result<Option<Planned>, Refusal> {
        let planned = self.store.planned(database.id).await;
        planned.map_err(|error| store_refusal(&error))
    }
}

fn moved_into(planned: &Maintenance, terms: &Terms<'_>) -> Result<Move, Refusal> {
    let opening = schedule::after_window_change(terms, planned.scheduled_for)?;
    Ok(Move {
        maintenance: planned.id,
        from: planned.scheduled_for,
        to: opening.from,
        note: schedule::overdue_note(terms, opening),
        request_id: None,
    })
}

fn without_window(plan: &Plan) -> Refusal {
    if plan.is_essential() {
        let sentence = "An Essential tier database has no maintenance window.";
        return Refusal::invalid(sentence)
            .with_hint("it is maintained as needed, without window and notice");
    }
    let sentence = format!(
        "a database of the plan `{}` has no maintenance window",
        plan.name
    );
    Refusal::invalid(sentence).with_hint("the table of plans says which have one: upkeep plans")
}

fn nothing_planned(database: &Database) -> Refusal {
    let sentence = format!("there is no maintenance of `{}` to schedule", database.name);
    Refusal::new(RefusalKind::NotReady, sentence)
        .with_hint("one is planned when it is due; upkeep data:maintenances:run runs one now")
}

pub(super) fn changed_meanwhile(database: &Database) -> Refusal {
    Refusal::conflict(format!(
        "the maintenance of `{}` was moved or begun by somebody else just now",
        database.name
    ))
    .with_hint("look at it with upkeep data:maintenances:info, then ask again")
}
