//! `freezes`, `freezes:add`, `freezes:remove`.

use upkeep_api::body::{AddFreeze, Freeze};
use upkeep_api::client::Client;

use crate::cli::{FreezesAdd, FreezesRemove};
use crate::exit::{Exit, Failure};
use crate::output::{Output, render_table};

pub(super) async fn list(client: &Client, out: &mut Output) -> Result<Exit, Failure> {
    let freezes = client.freezes().await?;
    let nothing = "There are no freezes. `upkeep freezes:add` adds one.";
    out.list(&freezes, nothing, render_freezes);
    Ok(Exit::Done)
}

pub(crate) fn render_freezes(freezes: &[Freeze]) -> String {
    let row = |freeze: &Freeze| {
        let whose = freeze.app.clone().unwrap_or_else(|| "the fleet".to_owned());
        let cells = [
            freeze.id.to_string(),
            whose,
            freeze.period.clone(),
            freeze.time_zone.clone(),
            freeze.because.clone(),
        ];
        cells.map(Some).into()
    };
    let rows: Vec<_> = freezes.iter().map(row).collect();
    render_table(&["Id", "Of", "When", "Time zone", "Because"], &rows)
}

pub(super) async fn add(
    client: &Client,
    args: FreezesAdd,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let wish = AddFreeze {
        app: args.app,
        because: args.because,
        from: args.from,
        time_zone: args.zone,
        to: args.to,
    };
    let freeze = out.doing("Adding freeze", client.add_freeze(&wish)).await?;
    out.say(
        "What is planned within it is moved in a moment; runs that people begin are not hindered.",
    );
    out.result(&freeze, |freeze| {
        render_freezes(std::slice::from_ref(freeze))
    });
    Ok(Exit::Done)
}

pub(super) async fn remove(
    client: &Client,
    args: FreezesRemove,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let doing = format!("Removing freeze {}", args.id);
    let removed = out.doing(&doing, client.remove_freeze(args.id)).await?;
    out.result(&removed, |_| String::new());
    Ok(Exit::Done)
}
