//! `pg:info`, `pg:wait`.

use std::time::Duration;

use upkeep_api::body::{Addon, ConfigVars, Database, InfoEntry, WaitStatus};
use upkeep_api::client::{Client, Provisioned};

use super::find;
use super::follow::{follow, follow_every};
use crate::cli::{PgInfo, PgUnfollow, PgWait};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Pair, render_pairs};

pub(super) async fn info(client: &Client, args: PgInfo, out: &mut Output) -> Result<Exit, Failure> {
    let app = args.app.app;
    let addons = find::databases(client, args.database.as_deref(), Some(&app)).await?;
    let vars = client.config_vars(&app).await?;
    let mut shown = Vec::new();
    for addon in addons {
        match client.database(addon.id).await? {
            Provisioned::Yes(database) => shown.push((addon, *database)),
            Provisioned::NotYet => {
                out.say(&format!(
                    " ›   Warning: {} is not yet provisioned.",
                    addon.name
                ));
                out.say(&format!(
                    " ›   Run `upkeep addons:wait {}` to wait for it.",
                    addon.name
                ));
            }
        }
    }
    if shown.is_empty() {
        out.say(&format!("{app} has no databases that run."));
    }
    let databases: Vec<_> = shown.iter().map(|(_, database)| database).collect();
    let text = |addons: &[(Addon, Database)]| {
        let each = addons
            .iter()
            .map(|(addon, database)| render_info(addon, database, &vars));
        each.collect::<Vec<_>>().join("\n\n")
    };
    out.result(&databases, |_| text(&shown));
    Ok(Exit::Done)
}

pub(crate) fn render_info(addon: &Addon, database: &Database, vars: &ConfigVars) -> String {
    let mut pairs: Vec<_> = database
        .info
        .iter()
        .filter_map(|entry| line(entry, vars))
        .collect();
    pairs.push(Pair::new("Add-on", &addon.name));
    let called = vars
        .iter()
        .filter(|(_, value)| **value == database.resource_url)
        .map(|(name, _)| name.as_str());
    let mut called: Vec<_> = called.collect();
    if called.is_empty() {
        called.push(&addon.name);
    }
    format!("=== {}\n\n{}", called.join(", "), render_pairs(&pairs))
}

/// Values that are URLs of databases are shown as their config vars: a URL holds a password.
fn line(entry: &InfoEntry, vars: &ConfigVars) -> Option<Pair> {
    let name_of = |url: &String| {
        let known = vars.iter().find(|(_, value)| *value == url);
        known.map_or_else(
            || "a database of another app".to_owned(),
            |(name, _)| name.clone(),
        )
    };
    let values: Vec<_> = if entry.resolve_db_name {
        entry.values.iter().map(name_of).collect()
    } else {
        entry.values.clone()
    };
    (!values.is_empty()).then(|| Pair::new(&entry.name, values.join(", ")))
}

pub(super) async fn unfollow(
    client: &Client,
    args: PgUnfollow,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, Some(&args.app.app)).await?;
    let Some(leader) = leader_of(client, &addon).await? else {
        // Heroku's words.
        return Err(Failure::refused(format!(
            "{} is not a follower",
            addon.name
        )));
    };
    let what = format!(
        "{} will take writes and never follow {leader} again",
        addon.name
    );
    find::confirmed(&addon, args.confirm.as_deref(), &what)?;
    client.unfollow(addon.id).await?;
    let look = async || {
        let now = client.wait_status(addon.id).await?;
        Ok((!now.waiting).then_some(now))
    };
    let followed = follow(client, addon.id, out, look).await?;
    if leader_of(client, &addon).await?.is_some() {
        let because = followed.trouble.unwrap_or(followed.end.message);
        return Err(Failure::new(
            Exit::NotDone,
            format!("{} still follows {leader}: {because}", addon.name),
        ));
    }
    out.result(&followed.end, |_| {
        format!("{} follows {leader} no more and takes writes", addon.name)
    });
    Ok(Exit::Done)
}

/// The name of whom it follows.
async fn leader_of(client: &Client, addon: &Addon) -> Result<Option<String>, Failure> {
    match client.database(addon.id).await? {
        Provisioned::Yes(database) => Ok(database.following.and(database.leader)),
        Provisioned::NotYet => Ok(None),
    }
}

pub(super) async fn wait(client: &Client, args: PgWait, out: &mut Output) -> Result<Exit, Failure> {
    let addons = find::databases(client, args.database.as_deref(), Some(&args.app.app)).await?;
    let poll = Duration::from_secs(args.wait_interval);
    let mut there = Vec::new();
    for addon in addons {
        there.push(available(client, &addon, poll, out).await?);
        out.say(&format!("{} is available", addon.name));
    }
    out.result(&there, |_| String::new());
    Ok(Exit::Done)
}

/// Watches until one need not wait for it any more.
async fn available(
    client: &Client,
    addon: &Addon,
    poll: Duration,
    out: &mut Output,
) -> Result<WaitStatus, Failure> {
    let look = async || {
        let now = client.wait_status(addon.id).await?;
        Ok((now.error || !now.waiting).then_some(now))
    };
    let (status, trouble) = match look().await.map_err(Failure::from)? {
        Some(status) => (status, None),
        None => {
            let followed = follow_every(poll, client, addon.id, out, look).await?;
            (followed.end, followed.trouble)
        }
    };
    if !status.error {
        return Ok(status);
    }
    let because = trouble.map(|trouble| format!(": {trouble}"));
    Err(Failure::new(
        Exit::NotDone,
        format!(
            "{}: {}{}",
            addon.name,
            status.message,
            because.unwrap_or_default()
        ),
    ))
}
