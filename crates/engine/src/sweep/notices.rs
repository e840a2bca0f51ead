//! What happened is told: first it is addressed to everybody who is to hear of it, then it is sent until it
//! is taken, refused or given up. No run waits for that.
//!
//! Who is told of what is planned is told as well what it will meet as things are.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use upkeep_domain::id::AppId;
use upkeep_domain::maintenance::Window;
use upkeep_domain::notice::audience::hears;
use upkeep_domain::notice::delivery::{GIVEN_UP_AFTER, pause_after};
use upkeep_domain::notice::words::letter;
use upkeep_domain::notice::{Address, Kind, Listener, Told};
use upkeep_domain::ports::DeliveryError;
use upkeep_store::{Concerned, Store, ToSend, Tried, Unaddressed};

use super::Error;
use super::look_ahead::{Ahead, look_ahead};
use crate::{Engine, World};

/// Addressed in one sweep.
const ADDRESSED_MAX: u32 = 200;
/// Sent at a time: one that does not answer keeps so many others waiting at most.
const SENT_AT_ONCE: u32 = 64;
/// Databases are looked at for letters for so long at a time.
const LOOKING_MAX: Duration = Duration::from_secs(10);
/// Longer than any courier tries. If we end meanwhile, another server sends it again then.
const TAKEN_FOR: Duration = Duration::from_secs(60);

/// Somebody who may be told, and the id of the row that says so; owners have none.
struct Listening {
    recipient: Option<i64>,
    listener: Listener,
}

/// Letters are written.
pub(crate) async fn address(engine: &Engine) -> Result<(), Error> {
    let store = &engine.store;
    let unaddressed = store.unaddressed(ADDRESSED_MAX).await;
    let unaddressed = unaddressed.map_err(Error::Store)?;
    if unaddressed.is_empty() {
        return Ok(());
    }
    let recipients = store.recipients().await.map_err(Error::Store)?;
    let recipients: Vec<_> = recipients
        .into_iter()
        .map(|kept| Listening {
            recipient: Some(kept.id),
            listener: kept.listener,
        })
        .collect();
    let owners = store.owners().await.map_err(Error::Store)?;
    let owners: Vec<_> = owners
        .iter()
        .filter_map(|email| Address::of_owner(email))
        .collect();
    let mut first_error = Ok(());
    let is_ahead = |notice: &Unaddressed| notice.kind.is_some_and(Kind::is_ahead);
    let begun = Instant::now();
    for notice in &unaddressed {
        if is_ahead(notice) && begun.elapsed() > LOOKING_MAX {
            // What happens meanwhile is told first.
            break;
        }
        let addressed = address_one(engine, notice, &recipients, &owners).await;
        first_error = first_error.and(addressed);
    }
    first_error
}

/// What a newer program has written is left to it. If the database is gone, nobody is concerned any more.
async fn address_one(
    engine: &Engine,
    notice: &Unaddressed,
    recipients: &[Listening],
    owners: &[Address],
) -> Result<(), Error> {
    let Some(kind) = notice.kind else {
        return Ok(());
    };
    let store = &engine.store;
    let Some(database) = &notice.database else {
        let to_nobody = store.address(notice.id, None, &[]).await;
        return to_nobody.map_err(Error::Store);
    };
    let window = window_of(&engine.world, database)?;
    let apps = database.apps();
    let owners = owners_of(&apps, owners);
    let everybody = recipients.iter().chain(&owners);
    let to: Vec<_> = everybody
        .filter(|listening| hears(&listening.listener, kind, window.is_some(), &apps))
        .map(|listening| {
            let address = listening.listener.address.as_str().to_owned();
            (address, listening.recipient)
        })
        .collect();
    let about = notice.understood().map_err(Error::Store)?;
    let ahead = if kind.is_ahead() {
        look_ahead(engine, database.id, &about).await?
    } else {
        Ahead::default()
    };
    let told = Told {
        id: notice.id,
        at: notice.at,
        kind,
        database: database.subject(window),
        about,
        ahead: ahead.report,
        forecast: ahead.forecast,
    };
    let words = Some((&letter(&told), database.name.as_str()));
    let addressed = store.address(notice.id, words, &to).await;
    addressed.map_err(Error::Store)
}

fn window_of(world: &World, database: &Concerned) -> Result<Option<Window>, Error> {
    let plan = world.plans.find(&database.plan);
    let plan = plan.map_err(|source| Error::UnknownPlan {
        database: database.name.clone(),
        source,
    })?;
    let chosen = database.chosen_window.as_ref();
    Ok(Window::of(database.id, plan, chosen))
}

/// Every app is an owner's; a database that no app has concerns none of them.
fn owners_of(apps: &[AppId], owners: &[Address]) -> Vec<Listening> {
    let Some(app) = apps.first() else {
        return Vec::new();
    };
    let listening = |address: &Address| Listening {
        recipient: None,
        listener: Listener {
            app: Some(*app),
            address: address.clone(),
        },
    };
    owners.iter().map(listening).collect()
}

/// Letters are sent.
pub(crate) async fn deliver(world: &World, store: &Store) -> Result<(), Error> {
    let due = store.take_deliveries(TAKEN_FOR, SENT_AT_ONCE).await;
    let due = due.map_err(Error::Store)?;
    let sent = join_all(due.iter().map(|to_send| send(world, store, to_send))).await;
    sent.into_iter().fold(Ok(()), Result::and)
}

async fn send(world: &World, store: &Store, to_send: &ToSend) -> Result<(), Error> {
    let tried = match world.courier.deliver(&to_send.delivery).await {
        Ok(()) => Tried::Sent,
        Err(DeliveryError::Refused { sentence }) => Tried::GivenUp { trouble: sentence },
        Err(DeliveryError::Failed { sentence }) => {
            let now = store.now().await.map_err(Error::Store)?;
            if now < to_send.delivery.told_at + GIVEN_UP_AFTER {
                let pause = pause_after(to_send.tries);
                let trouble = sentence;
                Tried::Later { pause, trouble }
            } else {
                Tried::GivenUp { trouble: sentence }
            }
        }
    };
    if let Tried::Later { trouble, .. } | Tried::GivenUp { trouble } = &tried {
        let notice = to_send.delivery.notice;
        tracing::warn!(notice, trouble, "a notice was not delivered");
    }
    let recorded = store.delivery_tried(to_send, &tried).await;
    recorded.map_err(Error::Store)
}
