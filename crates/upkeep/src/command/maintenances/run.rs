//! `data:maintenances:run`, `:wait` and `:cancel`: to the end, with the verdict as the last word.

use upkeep_api::body::{Addon, Maintenance, Outcome, RunMaintenance, Status, Waive};
use upkeep_api::client::Client;

use crate::cli::{MaintenanceCancel, MaintenanceRun, MaintenanceWait};
use crate::command::find;
use crate::command::follow::follow;
use crate::exit::{Exit, Failure};
use crate::output::{Output, render_verdict};

pub(crate) async fn run(
    client: &Client,
    args: MaintenanceRun,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let app = client.app(&addon.app.id.to_string()).await?;
    if !app.maintenance {
        let what = format!("the app {} is not in maintenance mode", app.name);
        find::confirmed(&addon, args.confirm.as_deref(), &what)?;
    }
    let wish = RunMaintenance {
        method: args.method,
        release: args.release,
        waive: waived(args.waive, args.because)?,
    };
    let triggered = out
        .doing("Triggering maintenance", client.run(addon.id, &wish))
        .await?;
    if let (Some(method), Some(because)) = (&triggered.method, &triggered.method_because) {
        out.say(&format!("Due: {}", due(&triggered)));
        out.say(&format!("Method: {method}, because {because}"));
    }
    if args.wait {
        return to_the_end(client, &addon, out).await;
    }
    out.say(&format!(
        "Use `upkeep data:maintenances:wait {}` to watch it.",
        addon.name
    ));
    out.result(&triggered, |_| String::new());
    Ok(Exit::Done)
}

fn due(triggered: &Maintenance) -> String {
    let known = triggered.release_before.as_ref();
    match known.zip(triggered.release_after.as_ref()) {
        Some((before, after)) if before != after => format!("{before} -> {after}"),
        Some((before, _)) => format!("a restart on {before}"),
        None => "nothing that the server tells of".to_owned(),
    }
}

/// One reason for all, or one for each.
fn waived(checks: Vec<String>, reasons: Vec<String>) -> Result<Vec<Waive>, Failure> {
    if reasons.len() > 1 && reasons.len() != checks.len() {
        let sentence = format!("{} --waive and {} --because", checks.len(), reasons.len());
        return Err(Failure::refused(sentence)
            .with_hint("give one reason for all of them, or one for each"));
    }
    let reasons = reasons.into_iter().cycle();
    let pairs = checks.into_iter().zip(reasons);
    Ok(pairs
        .map(|(check, because)| Waive { because, check })
        .collect())
}

pub(crate) async fn wait(
    client: &Client,
    args: MaintenanceWait,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    if !goes_on(client.maintenance(addon.id).await?.status) {
        let sentence = format!(
            "there currently isn't any maintenance in progress for {}",
            addon.name
        );
        return Err(Failure::refused(sentence).with_hint(format!(
            "`upkeep data:maintenances:history {}` shows the past ones",
            addon.name
        )));
    }
    to_the_end(client, &addon, out).await
}

pub(crate) async fn cancel(
    client: &Client,
    args: MaintenanceCancel,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let doing = format!("Calling off the maintenance of {}", addon.name);
    let asked = out.doing(&doing, client.cancel(addon.id)).await?;
    if !args.wait {
        out.say(&format!(
            "It is undone unless it has come too far just now; use `upkeep data:maintenances:wait {}` to watch it.",
            addon.name
        ));
        out.result(&asked, |_| String::new());
        return Ok(Exit::Done);
    }
    let (record, because) = watch_to_the_end(client, &addon, out).await?;
    match record.outcome {
        // Just that was asked for.
        Some(Outcome::RolledBack) => Ok(Exit::Done),
        Some(Outcome::Succeeded) => Err(Failure::new(
            Exit::NotDone,
            format!(
                "the maintenance of {} could not be undone any more, and has succeeded",
                addon.name
            ),
        )),
        _ => judge(&record, because),
    }
}

async fn to_the_end(client: &Client, addon: &Addon, out: &mut Output) -> Result<Exit, Failure> {
    let (record, because) = watch_to_the_end(client, addon, out).await?;
    judge(&record, because)
}

/// Also while it waits for its window.
fn goes_on(status: Status) -> bool {
    matches!(status, Status::Preparing | Status::Ready | Status::Running)
}

/// Shows the verdict. What is given beside the record is why it ended so, unless the verdict has told it.
async fn watch_to_the_end(
    client: &Client,
    addon: &Addon,
    out: &mut Output,
) -> Result<(Maintenance, Option<String>), Failure> {
    let look = async || {
        let now = client.maintenance(addon.id).await?;
        if now.outcome.is_some() {
            return Ok(Some(now));
        }
        if goes_on(now.status) {
            return Ok(None);
        }
        // The next maintenance may be planned already; how this one ended stands in the history.
        let past = client.history(addon.id, 1).await?.pop();
        Ok(Some(past.unwrap_or(now)))
    };
    let followed = follow(client, addon.id, out, look).await?;
    let record = followed.end;
    out.result(&record, render_verdict);
    let because = record
        .fell_back
        .as_ref()
        .or(record.outcome_because.as_ref());
    let because = match because {
        Some(_) if !out.is_json() => None,
        Some(because) => Some(because.clone()),
        None => followed.trouble,
    };
    Ok((record, because))
}

fn judge(record: &Maintenance, because: Option<String>) -> Result<Exit, Failure> {
    let name = &record.addon.name;
    let because = because
        .map(|because| format!(": {because}"))
        .unwrap_or_default();
    match record.outcome {
        Some(Outcome::Succeeded) if record.fell_back.is_none() => Ok(Exit::Done),
        Some(Outcome::Succeeded) => Err(Failure::new(
            Exit::NeedsPerson,
            format!("the maintenance of {name} succeeded, but a person has to look{because}"),
        )
        .with_hint(format!(
            "when that is put right, `upkeep data:maintenances:run {name} --method restart` tries it again"
        ))),
        Some(Outcome::RolledBack) => Err(Failure::new(
            Exit::NotDone,
            format!("the maintenance of {name} was rolled back{because}"),
        )
        .with_hint("nothing changed: the database runs on as before, and it can be run again")),
        Some(Outcome::Stuck) => Err(Failure::new(
            Exit::NeedsPerson,
            format!("the maintenance of {name} is stuck{because}"),
        )
        .with_hint(format!(
            "when that is put right, `upkeep data:maintenances:run {name}` goes on where it stands"
        ))),
        None => Err(Failure::new(
            Exit::Bug,
            format!("the server does not say how the maintenance of {name} ended"),
        )
        .with_hint("please report it, with the output of `upkeep data:maintenances:info --json`")),
    }
}
