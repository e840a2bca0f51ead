//! `freezes`, `freezes:add`, `freezes:import`, `freezes:remove`.

use std::fs;
use std::io::{self, Read as _};

use camino::Utf8Path;
use upkeep_api::body::{AddFreeze, Freeze, ImportFreezes, ImportedFreezes};
use upkeep_api::client::Client;

use crate::cli::{FreezesAdd, FreezesImport, FreezesRemove};
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

pub(super) async fn import(
    client: &Client,
    args: FreezesImport,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let wish = ImportFreezes {
        app: args.app,
        calendar: read(&args.file)?,
        time_zone: args.zone,
    };
    let importing = client.import_freezes(&wish);
    let imported = out.doing("Importing freezes", importing).await?;
    if imported.kept > 0 {
        out.say(&format!("{} were there already.", imported.kept));
    }
    for left_out in &imported.left_out {
        out.say(&format!(
            "Left out: {}, because {}.",
            left_out.summary, left_out.because
        ));
    }
    out.result(&imported, |imported: &ImportedFreezes| {
        match imported.added.as_slice() {
            [] => String::new(),
            added => render_freezes(added),
        }
    });
    Ok(Exit::Done)
}

fn read(file: &Utf8Path) -> Result<String, Failure> {
    let read = if file == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    read.map_err(|error| Failure::refused(format!("cannot read `{file}`: {error}")))
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
