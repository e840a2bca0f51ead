//! `addons:attach`, `addons:detach`, `pg:promote`: the names under which an app has its databases.

use upkeep_api::body::{Addon, Attachment, CreateAttachment, Reference};
use upkeep_api::client::{Client, Provisioned};

use super::find;
use crate::cli::{AddonsAttach, AddonsDetach, PgPromote};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) async fn attach(
    client: &Client,
    args: AddonsAttach,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let app = args.app.app;
    let addon = find::database(client, &args.database, Some(&app)).await?;
    let called = args.name.as_ref().map(|name| format!(" as {name}"));
    let doing = format!(
        "Attaching {}{} to {app}",
        addon.name,
        called.unwrap_or_default()
    );
    let wish = wish(&addon, &app, args.name, args.confirm);
    let attachment = out.doing(&doing, client.attach(&wish)).await?;
    out.result(&attachment, config_var);
    Ok(Exit::Done)
}

pub(super) async fn detach(
    client: &Client,
    args: AddonsDetach,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let app = args.app.app;
    let attachment = client.attachment(&app, &args.attachment).await?;
    let (name, addon) = (&attachment.name, &attachment.addon.name);
    let doing = format!("Detaching {name} of {addon} from {app}");
    let gone = out.doing(&doing, client.detach(attachment.id)).await?;
    out.result(&gone, |_| String::new());
    Ok(Exit::Done)
}

/// In one step of the server: at no moment is the app without the config var.
pub(super) async fn promote(
    client: &Client,
    args: PgPromote,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let app = client.app(&args.app.app).await?.name;
    let addon = find::database(client, &args.database, Some(&app)).await?;
    let before = held_by(client, &app, &args.name).await?;
    if before.as_ref().is_some_and(|one| one.addon.id == addon.id) {
        return Err(Failure::refused(format!(
            "{} is already promoted on {app}",
            addon.name
        )));
    }
    let doing = format!("Promoting {} to {}_URL on {app}", addon.name, args.name);
    let wish = wish(&addon, &app, Some(args.name), Some(app.clone()));
    let attachment = out.doing(&doing, client.attach(&wish)).await?;
    if let Some(before) = before {
        let names = names_of(client, &app, &before).await?;
        out.say(&format!("{} is {names} from now on.", before.addon.name));
    }
    if let Provisioned::Yes(database) = client.database(addon.id).await?
        && let Some(leader) = database.leader
    {
        out.say(&format!(
            " ›   Warning: {} is read-only: it still follows {leader}.",
            addon.name
        ));
        out.say(&format!(
            " ›   Run `upkeep pg:unfollow {} -a {app}` to make it writable.",
            addon.name
        ));
    }
    out.result(&attachment, config_var);
    Ok(Exit::Done)
}

fn wish(
    addon: &Addon,
    app: &str,
    name: Option<String>,
    confirm: Option<String>,
) -> CreateAttachment {
    CreateAttachment {
        addon: Reference::Text(addon.id.to_string()),
        app: Reference::Text(app.to_owned()),
        confirm,
        name,
        namespace: None,
    }
}

/// What the app has under this name.
async fn held_by(client: &Client, app: &str, name: &str) -> Result<Option<Attachment>, Failure> {
    let mut there = client.attachments().await?;
    there.retain(|one| one.app.name == app && one.name == name);
    Ok(there.pop())
}

/// How the app calls what it had under another name.
async fn names_of(client: &Client, app: &str, before: &Attachment) -> Result<String, Failure> {
    let mut there = client.attachments().await?;
    there.retain(|one| one.app.name == app && one.addon.id == before.addon.id);
    let vars: Vec<_> = there.iter().map(config_var).collect();
    if vars.is_empty() {
        return Ok(format!("no config var of {app}"));
    }
    Ok(vars.join(", "))
}

fn config_var(attachment: &Attachment) -> String {
    attachment.config_vars.join(", ")
}
