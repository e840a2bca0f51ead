//! What is planned is begun when its window opens, and what has not come to its switch when the window ends is
//! called off. What is missed is planned anew by `required`.

use upkeep_domain::maintenance::turn::ITSELF;
use upkeep_domain::maintenance::window;
use upkeep_domain::refusal::Refusal;

use super::Error;
use crate::Engine;
use crate::request::{Queue, undoable};

/// One that cannot be begun does not keep the others waiting.
pub(crate) async fn windows(engine: &Engine) -> Result<(), Error> {
    let by = format!("{ITSELF}, for its window is over");
    let (length, undoable) = (window::LENGTH.unsigned_abs(), undoable());
    let store = &engine.store;
    let overrun = store.cancel_overrun(ITSELF, length, &by, &undoable);
    overrun.await.map_err(Error::Store)?;
    let now = engine.store.now().await.map_err(Error::Store)?;
    let (mut first_error, mut queue) = (Ok(()), Queue::default());
    let to_begin = engine.store.standings_to_begin().await;
    for standing in to_begin.map_err(Error::Store)? {
        let begun = engine.begin_planned(now, &standing, &mut queue).await;
        let failed = |source: Refusal| Error::Begin {
            database: standing.database.to_string(),
            source,
        };
        first_error = first_error.and(begun.map_err(failed));
    }
    first_error
}
