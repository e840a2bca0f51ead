//! Removes an instance with everything that is its own.

use upkeep_domain::host_command::{HostError, Outcome};

use crate::fault::OrFailed;
use crate::host::{Copying, Instance, locked};
use crate::pause::{LOOK_EVERY, pause};
use crate::{durable, postmaster, silence};

/// Whatever state it is in; what is half removed is removed wholly.
pub(crate) async fn remove(instance: &Instance) -> Result<Outcome, HostError> {
    silence::unwatch(instance);
    let copying = locked(&instance.copying).take();
    if let Some(Copying { task, .. }) = copying {
        // The program that copies ends with the task that runs it.
        task.abort();
        while !task.is_finished() {
            pause(LOOK_EVERY).await;
        }
    }
    instance.close_sessions().await;
    let places = instance.places.clone();
    postmaster::kill(&places.data()).await.or_failed()?;
    let removed = tokio::task::spawn_blocking(move || {
        durable::remove_folder(&places.socket_dir)?;
        // Without its record it is absent, whatever of it is left.
        durable::remove(&places.record())?;
        durable::remove_folder(&places.dir)
    });
    removed.await.or_failed()?.or_failed()?;
    Ok(Outcome::Done)
}
