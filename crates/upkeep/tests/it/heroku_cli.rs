//! Heroku's own command line, unmodified, on a running Upkeep: what a person who changes over from
//! there types, and what they see. The transcript is kept whole, to be read as they read it.

use std::fmt::Write as _;
use std::time::Duration;

use insta::{assert_snapshot, with_settings};
use serde_json::Value;
use upkeep_testkit::heroku_cli::{HerokuCli, is_left_out};
use upkeep_testkit::releases_source;
use upkeep_testkit::up::{self, Ended, Options, Up};

use crate::promotion::Shop;
use crate::wait::wait_until;
use crate::world::{connect, options};

/// A pair of releases that every set-up has brought.
const OLDER: &str = "15.18";
const NEWER: &str = "15.20";
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_heroku_users_type_does_what_they_expect() {
    if is_left_out() {
        eprintln!("skipped: Heroku's command line could not be brought");
        return;
    }
    // What is planned depends on the day.
    let unplanned = Options {
        plan_every: Some(Duration::from_secs(3_600)),
        ..options()
    };
    let up = Up::start(up::make_dir().unwrap(), unplanned).await.unwrap();
    for version in [OLDER, NEWER] {
        let source = releases_source::find(version).unwrap();
        let [how, place] = source.options();
        let add = ["releases:add", &how, &place, "--name", version];
        up.run(&add).await.unwrap();
    }
    let mut shell = Shell {
        cli: HerokuCli::of(&up).unwrap(),
        transcript: String::new(),
    };

    shell.types("apps:create shop").await;
    let create = "addons:create heroku-postgresql:standard-0 -a shop";
    let options = format!("--name orders --wait -- --release {OLDER}");
    shell.types(&format!("{create} {options}")).await;
    let update = "data:maintenances:window:update orders";
    shell.types(&format!("{update} tuesday 17:30")).await;
    shell.types(&format!("{update} Sundays 1:30PM")).await;
    shell.types(&format!("{update} someday 13:30")).await;
    shell.types(&format!("{update} sunday 22:15")).await;
    shell.types("data:maintenances:window orders").await;
    shell.types("data:maintenances:schedule orders").await;
    let config = shell.types("config -a shop").await;
    shell.types("pg:info -a shop").await;
    shell.types("data:maintenances -a shop").await;

    // What a promotion would take away is in the way.
    let url = config.stdout.split_whitespace().last().unwrap();
    let client = connect(&url.parse().unwrap()).await.unwrap();
    let table = "CREATE UNLOGGED TABLE scratch AS SELECT 1 AS one";
    client.batch_execute(table).await.unwrap();
    let run = "data:maintenances:run DATABASE -a shop";
    shell.types(&format!("{run} --confirm shop --wait")).await;
    client.batch_execute("DROP TABLE scratch").await.unwrap();
    shell.types(&format!("{run} --confirm shop")).await;
    shell.types("data:maintenances:wait orders").await;
    shell.types("data:maintenances:info orders").await;
    shell.types("data:maintenances:history orders").await;
    shell.types("data:maintenances:wait orders").await;
    shell.types(&format!("{run} --confirm shop")).await;
    shell.types("apps:info -a nobody").await;
    shell.types("pg:info nothing -a shop").await;
    shell.types("data:maintenances:info nothing -a shop").await;
    shell
        .types("addons:create heroku-postgresql:gold -a shop")
        .await;
    let small = "addons:create heroku-postgresql:essential-0 -a shop --name small";
    let small = format!("{small} --wait -- --release {OLDER}");
    let small: Vec<&str> = small.split(' ').collect();
    up.run(&small).await.unwrap();
    shell.types("data:maintenances:window small").await;
    shell
        .types("data:maintenances:window:update small sunday 13:30")
        .await;
    let destroy = ["addons:destroy", "small", "--confirm", "shop"];
    up.run(&destroy).await.unwrap();

    shell.types("addons:destroy orders --confirm shop").await;
    wait_until("nothing of it", SOON, async || {
        let left = up.json::<Vec<Value>>(&["addons"]).await;
        left.unwrap().is_empty()
    })
    .await;
    shell.types("data:maintenances -a shop").await;

    with_settings!({ filters => FILTERS.to_vec() }, {
        assert_snapshot!(shell.transcript);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_heroku_users_promote_and_attach_is_what_applications_reach() {
    if is_left_out() {
        eprintln!("skipped: Heroku's command line could not be brought");
        return;
    }
    let shop = Shop::open().await;
    let mut shell = Shell {
        cli: HerokuCli::of(&shop.up).unwrap(),
        transcript: String::new(),
    };
    shell.types("pg:wait -a shop").await;
    shell.types("pg:promote fresh -a shop").await;
    assert_eq!(shop.reached().await, "fresh");
    shell.types("pg:info -a shop").await;
    shell.types("pg:info DATABASE -a shop").await;
    shell.types("pg:promote fresh -a shop").await;
    shell.types("pg:promote orders -a shop --as REPORTS").await;
    assert_eq!(shop.reached().await, "fresh");

    let attach = "addons:attach orders -a shop --as DATABASE";
    // It asks, and gets no answer.
    shell.types(attach).await;
    assert_eq!(shop.reached().await, "fresh");
    shell.types(&format!("{attach} --confirm shop")).await;
    assert_eq!(shop.reached().await, "orders");
    shell.types("releases -a shop").await;
    shell.types("apps:create blog").await;
    shell.types("addons:attach shop::DATABASE -a blog").await;
    shell.types("addons:info orders").await;
    shell.types("addons -a shop").await;
    shell.types("addons -a blog").await;
    shell.types("addons:detach REPORTS -a shop").await;
    let detach = "addons:detach HEROKU_POSTGRESQL_AMBER -a";
    shell.types(&format!("{detach} blog")).await;
    shell.types(&format!("{detach} shop")).await;
    shell.types("addons:attach orders -a shop --as lower").await;

    // A database that is being made is waited for, and is not promoted before.
    let make = "addons:create heroku-postgresql:standard-0 -a shop --name third";
    let make: Vec<&str> = make.split(' ').collect();
    shop.up.run(&make).await.unwrap();
    let wait = ["pg:wait", "third", "-a", "shop", "--wait-interval", "1"];
    let waited = shell.cli.run(&wait).await.unwrap();
    assert_eq!(waited.code, Some(0), "{}", waited.stderr);
    shell.types("pg:promote third -a shop").await;

    with_settings!({ filters => [&FILTERS[..], &MORE_FILTERS].concat() }, {
        assert_snapshot!(shell.transcript);
    });
}

struct Shell {
    cli: HerokuCli,
    transcript: String,
}

impl Shell {
    async fn types(&mut self, line: &str) -> Ended {
        let args: Vec<&str> = line.split(' ').collect();
        let ended = self.cli.run(&args).await.unwrap();
        let code = ended.code.unwrap();
        writeln!(self.transcript, "$ heroku {line}   [exit {code}]").unwrap();
        for (channel, text) in [("err", &ended.stderr), ("out", &ended.stdout)] {
            for line in text.lines() {
                writeln!(self.transcript, "{channel}| {line}").unwrap();
            }
        }
        ended
    }
}

/// What differs from run to run. Tables are laid out before: what stands in them is as wide as ever.
const FILTERS: [(&str, &str); 9] = [
    // The one that follows from an id.
    (
        r"(previous_window|Maintenance window):( +)(Mon|Tues|Wednes|Thurs|Fri)days (18|19|2\d):.*",
        "$1:$2[default]",
    ),
    (r"postgres://\S+", "[url]"),
    (r"127\.0\.0\.1:\d+", "[host]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d \+0000| UTC)", "[time]"),
    (
        r"\[time\]   [\d-]+ +requested",
        "[time]   [seconds]   requested",
    ),
    (
        r"duration_seconds:     \d+",
        "duration_seconds:     [seconds]",
    ),
    (
        r"duration_approximate: ~ .*",
        "duration_approximate: [about]",
    ),
    (
        r"(held_ms|steps_ms|took|longest_write_gap_ms)(: +)([a-z_]+: [\d.]+, )*([a-z_]+: )?([\d.]+|null)",
        "$1$2[ms]",
    ),
    (r"Data Size:( +).*", "Data Size:$1[size]"),
];

/// What else differs where databases run on what is installed, and a test has been at them.
const MORE_FILTERS: [(&str, &str); 5] = [
    (r"Connections:( +)\d+/", "Connections:$1[count]/"),
    (r"PG Version:( +).*", "PG Version:$1[version]"),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d .*", "[time]"),
    (r"Installed at: .*", "Installed at: [time]"),
    // A question moves the cursor.
    (r"\x1b\[[?\d]*[a-zA-Z]", ""),
];
