//! `config`, `config:get`.

use upkeep_api::body::ConfigVars;
use upkeep_api::client::Client;

use crate::cli::{Config, ConfigGet};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Pair, render_pairs};

pub(super) async fn list(client: &Client, args: Config, out: &mut Output) -> Result<Exit, Failure> {
    let vars = client.config_vars(&args.app.app).await?;
    out.result(&vars, |vars| {
        if args.shell {
            return for_shell(vars);
        }
        format!("=== {} Config Vars\n\n{}", args.app.app, pairs(vars))
            .trim_end()
            .to_owned()
    });
    Ok(Exit::Done)
}

pub(super) async fn get(
    client: &Client,
    args: ConfigGet,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let mut vars = client.config_vars(&args.app.app).await?;
    if let Some(missing) = args.names.iter().find(|name| !vars.contains_key(*name)) {
        return Err(Failure::refused(format!(
            "the app `{}` has no config var `{missing}`",
            args.app.app
        ))
        .with_hint(format!(
            "`upkeep config -a {}` lists those there are",
            args.app.app
        )));
    }
    vars.retain(|name, _| args.names.contains(name));
    out.result(&vars, |vars| {
        if args.shell {
            return for_shell(vars);
        }
        let values = args.names.iter().filter_map(|name| vars.get(name).cloned());
        values.collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

fn pairs(vars: &ConfigVars) -> String {
    let pairs: Vec<_> = vars
        .iter()
        .map(|(name, value)| Pair::new(name, value))
        .collect();
    render_pairs(&pairs)
}

/// Within single quotes a shell reads everything as it is, but the quote itself.
fn for_shell(vars: &ConfigVars) -> String {
    let lines = vars
        .iter()
        .map(|(name, value)| format!("{name}='{}'", value.replace('\'', r"'\''")));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let vars = ConfigVars::from([("X".to_owned(), "a'; rm -rf '$HOME".to_owned())]);
        assert_eq!(for_shell(&vars), r"X='a'\''; rm -rf '\''$HOME'");
    }
}
