//! `releases`, `releases:add`, `releases:info`, `releases:remove`.

use upkeep_api::body::{AddFrom, AddRelease, Release};
use upkeep_api::client::Client;

use crate::cli::{ReleasesAdd, ReleasesInfo, ReleasesRemove};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Pair, render_pairs, render_table};

pub(super) async fn list(client: &Client, out: &mut Output) -> Result<Exit, Failure> {
    let releases = client.releases().await?;
    let nothing = "There are no releases. `upkeep releases:add` adds one.";
    out.list(&releases, nothing, render_releases);
    Ok(Exit::Done)
}

pub(crate) fn render_releases(releases: &[Release]) -> String {
    let row = |release: &Release| {
        let cells = [
            &release.name,
            &release.version,
            &release.source,
            &release.added_at,
        ];
        cells.into_iter().map(|cell| Some(cell.clone())).collect()
    };
    let rows: Vec<_> = releases.iter().map(row).collect();
    render_table(&["Release", "Version", "Source", "Added"], &rows)
}

pub(super) async fn add(
    client: &Client,
    args: ReleasesAdd,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let wish = wish(args)?;
    let release = out
        .doing("Adding release", client.add_release(&wish))
        .await?;
    out.result(&release, |release| release.name.clone());
    Ok(Exit::Done)
}

fn wish(args: ReleasesAdd) -> Result<AddRelease, Failure> {
    let from = match (args.system, args.debian, args.file) {
        (Some(dir), _, _) => AddFrom::System { dir: dir.into() },
        (_, Some(version), _) => AddFrom::Debian { version },
        (_, _, Some(path)) => AddFrom::Archive {
            path: path.into(),
            root: args.root.map(Into::into),
            sha256: args.sha256,
        },
        (None, None, None) => {
            return Err(Failure::refused("say one of --system, --debian and --file"));
        }
    };
    Ok(AddRelease {
        from,
        name: args.name,
    })
}

pub(super) async fn info(
    client: &Client,
    args: ReleasesInfo,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let release = client.release(&args.name).await?;
    out.result(&release, render_release);
    Ok(Exit::Done)
}

pub(crate) fn render_release(release: &Release) -> String {
    let built =
        |with: bool, what: &str| format!("{} {what}", if with { "with" } else { "without" });
    let pairs = [
        Pair::new("Version", &release.version),
        Pair::new("Source", &release.source),
        Pair::new("Added", &release.added_at),
        Pair::new("Programs in", &release.bin_dir),
        Pair::new(
            "Built",
            format!(
                "{}, {}",
                built(release.tls, "TLS"),
                built(release.icu, "ICU")
            ),
        ),
        Pair::new("Programs", release.programs.join(", ")),
        Pair::new("Extensions", release.extensions.join(", ")),
    ];
    format!("=== {}\n\n{}", release.name, render_pairs(&pairs))
}

pub(super) async fn remove(
    client: &Client,
    args: ReleasesRemove,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let doing = format!("Removing release {}", args.name);
    out.doing(&doing, client.remove_release(&args.name)).await?;
    out.result(&serde_json::json!({ "name": args.name }), |_| String::new());
    Ok(Exit::Done)
}
