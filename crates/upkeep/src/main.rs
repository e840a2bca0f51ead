//! The `upkeep` program: reads the command line, runs a role or a command, ends with its exit code.

use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser;
use upkeep::cli::{Cli, Command, Global, Up};
use upkeep::exit::{Exit, Failure};
use upkeep::output::Output;
use upkeep::role::up::UpOptions;
use upkeep::{command, role};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = Output::standard(cli.global.json);
    // Every command is in it.
    Box::pin(run(cli, &mut out)).await.into()
}

async fn run(cli: Cli, out: &mut Output) -> Exit {
    let global = cli.global;
    let ended = match cli.command {
        Command::Client(command) => return command::run(command, &global, out).await,
        Command::Up(up) => run_up(&global, up, out).await,
        Command::Down => run_down(&global, out).await,
        Command::Server(role) => role::server::run(&role.config).await,
        Command::Agent(role) => role::agent::run(&role.config).await,
        Command::Endpoint(role) => role::endpoint::run(&role.config).await,
    };
    match ended {
        Ok(()) => Exit::Done,
        Err(error) => out.fail(&Failure::from(error)),
    }
}

async fn run_up(global: &Global, up: Up, out: &mut Output) -> anyhow::Result<()> {
    role::process::log();
    let options = UpOptions {
        dir: dir(global),
        listen: up.listen,
        endpoint_listen: up.endpoint_listen,
        advertise: up.advertise,
        run_as: up.run_as,
        plans: up.plans,
        policy: up.policy,
        notices: up.notices,
        owner: up.owner,
        plan_every_seconds: up.plan_every_seconds,
        soak_seconds: up.soak_seconds,
        retire_grace_seconds: up.retire_grace_seconds,
        fence: up.fence.map(Into::into),
    };
    role::up::run(&options, |running| {
        out.result(running, |running| {
            format!(
                "Upkeep is up.\n  API:       {}\n  databases: {}\n  directory: {}\n  options:   {}\n\n\
                 In another terminal, with UPKEEP_DIR={}:\n  upkeep apps:create example-app\n  \
                 upkeep addons:create heroku-postgresql:standard-0 -a example-app --wait",
                running.url, running.endpoint, running.dir, running.options, running.dir
            )
        });
    })
    .await
}

async fn run_down(global: &Global, out: &mut Output) -> anyhow::Result<()> {
    let stopped = role::down::run(&dir(global)).await?;
    out.result(&stopped, ToString::to_string);
    Ok(())
}

/// The directory of `up`: what was said, or `./.upkeep`.
fn dir(global: &Global) -> Utf8PathBuf {
    global
        .dir
        .clone()
        .unwrap_or_else(|| Utf8Path::new(".upkeep").to_owned())
}
