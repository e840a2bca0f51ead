//! `addons`, `addons:create`, `addons:destroy`, `addons:wait`.

use upkeep_api::body::{Addon, AppRef, Attachment, Wish};
use upkeep_api::client::Client;

use super::find;
use super::follow::follow;
use crate::cli::{AddonsCreate, AddonsDestroy, AddonsList, AddonsWait};
use crate::exit::{Exit, Failure};
use crate::output::{Output, render_table};

const PROVISIONING: &str = "provisioning";
const PROVISIONED: &str = "provisioned";
const DEPROVISIONING: &str = "deprovisioning";

pub(super) async fn list(
    client: &Client,
    args: AddonsList,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addons = client.addons(args.app.app.as_deref()).await?;
    let attachments = client.attachments().await?;
    let nothing = "There are no databases. `upkeep addons:create heroku-postgresql:standard-0 -a APP` makes one.";
    out.list(&addons, nothing, |addons| {
        render_addons(addons, &attachments)
    });
    Ok(Exit::Done)
}

/// The first name of a database stands beside it, the others below each other.
pub(crate) fn render_addons(addons: &[Addon], attachments: &[Attachment]) -> String {
    let rows = |addon: &Addon| {
        let cells = [&addon.name, &addon.app.name, &addon.plan.name, &addon.state];
        let mut first = cells.map(|cell| Some(cell.clone())).to_vec();
        let theirs = attachments.iter().filter(|one| one.addon.id == addon.id);
        let mut names = theirs.map(|one| name_in(&addon.app, one));
        first.push(names.next());
        let nothing = || vec![Some(String::new()); cells.len()];
        let more = names.map(|name| [nothing(), vec![Some(name)]].concat());
        std::iter::once(first).chain(more).collect::<Vec<_>>()
    };
    let rows: Vec<_> = addons.iter().flat_map(rows).collect();
    render_table(&["Database", "App", "Plan", "State", "Config vars"], &rows)
}

/// With the app, if it is another than the one that owns the database.
fn name_in(owner: &AppRef, attachment: &Attachment) -> String {
    let vars = attachment.config_vars.join(", ");
    if attachment.app.id == owner.id {
        vars
    } else {
        format!("{}::{vars}", attachment.app.name)
    }
}

pub(super) async fn create(
    client: &Client,
    args: AddonsCreate,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let app = args.app.app;
    let doing = format!("Creating {} on {app}", args.plan);
    let mut wish = Wish {
        plan: args.plan,
        name: args.name,
        attach_as: args.attach_as,
        release: args.release,
        follow: args.follow,
    };
    take_options(&mut wish, &args.config)?;
    let mut addon = out.doing(&doing, client.create_addon(&app, wish)).await?;
    if args.wait {
        addon = provisioned(client, &addon, out).await?;
        out.result(&addon, created);
        return Ok(Exit::Done);
    }
    if addon.state == PROVISIONING {
        out.say(&format!(
            "{} is being created in the background.",
            addon.name
        ));
        out.say(&format!(
            "Use `upkeep addons:wait {}` to watch it.",
            addon.name
        ));
    }
    out.result(&addon, |addon| addon.name.clone());
    Ok(Exit::Done)
}

/// What stands behind `--`, as Heroku's command line takes it: `--key value` or `--key=value`.
fn take_options(wish: &mut Wish, options: &[String]) -> Result<(), Failure> {
    let refused = |sentence: String| {
        Failure::refused(sentence)
            .with_hint("options of a new database: --release RELEASE, --follow DATABASE")
    };
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let (key, value) = match option.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (option.as_str(), options.next().cloned()),
        };
        let value = value.ok_or_else(|| refused(format!("`{key}` needs a value")))?;
        match key {
            "--follow" => wish.follow = Some(value),
            "--release" | "--version" => wish.release = Some(value),
            _ => return Err(refused(format!("the option `{key}` is not known"))),
        }
    }
    Ok(())
}

pub(super) async fn wait(
    client: &Client,
    args: AddonsWait,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addons = find::databases(client, args.database.as_deref(), args.app.app.as_deref()).await?;
    let mut there = Vec::new();
    for addon in addons.iter().filter(|addon| addon.state == PROVISIONING) {
        there.push(provisioned(client, addon, out).await?);
    }
    out.result(&there, |there| {
        there.iter().map(created).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

/// Watches until it is there.
async fn provisioned(client: &Client, addon: &Addon, out: &mut Output) -> Result<Addon, Failure> {
    let look = async || {
        let now = client.addon(addon.id).await?;
        Ok((now.state != PROVISIONING).then_some(now))
    };
    let followed = follow(client, addon.id, out, look).await?;
    if followed.end.state == PROVISIONED {
        return Ok(followed.end);
    }
    let because = followed
        .trouble
        .map(|trouble| format!(": {trouble}"))
        .unwrap_or_default();
    Err(Failure::new(
        Exit::NotDone,
        format!("{} could not be created{because}", addon.name),
    )
    .with_hint("what was made of it has been removed; put the cause right and create it again"))
}

fn created(addon: &Addon) -> String {
    match addon.config_vars.first() {
        Some(var) => format!("Created {} as {var}", addon.name),
        None => format!("Created {}", addon.name),
    }
}

pub(super) async fn destroy(
    client: &Client,
    args: AddonsDestroy,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let what = format!("destroying {} loses everything that is in it", addon.name);
    find::confirmed(&addon, args.confirm.as_deref(), &what)?;
    let doing = format!("Destroying {} on {}", addon.name, addon.app.name);
    let gone = out.doing(&doing, client.destroy_addon(&addon)).await?;
    if gone.state == DEPROVISIONING {
        out.say(&format!(
            "{} is being destroyed in the background.",
            gone.name
        ));
    }
    out.result(&gone, |_| String::new());
    Ok(Exit::Done)
}
