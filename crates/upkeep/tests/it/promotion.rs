//! Two databases of an app change places: who connects with what the app is told reaches the other
//! one. What people read on the way is kept whole.

use std::fmt::Write as _;
use std::time::Duration;

use insta::{assert_snapshot, with_settings};
use serde::Deserialize;
use serde_json::Value;
use upkeep_testkit::releases_source::installed_dir;
use upkeep_testkit::up::{self, Up};

use crate::wait::wait_until;
use crate::world::{connect, options};

const PLAN: &str = "heroku-postgresql:standard-0";
const SOON: Duration = Duration::from_secs(30);

/// An app `shop` with the databases `orders`, which is its `DATABASE`, and `fresh`. In each stands
/// its name.
pub(crate) struct Shop {
    pub(crate) up: Up,
}

#[derive(Deserialize)]
pub(crate) struct Vars {
    #[serde(rename = "DATABASE_URL")]
    database: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let up = Up::start(up::make_dir().unwrap(), options()).await.unwrap();
        let system = installed_dir("15");
        let add = [
            "releases:add",
            "--system",
            system.as_str(),
            "--name",
            "15-a",
        ];
        up.run(&add).await.unwrap();
        up.run(&["apps:create", "shop"]).await.unwrap();
        for name in ["orders", "fresh"] {
            let create = ["addons:create", PLAN, "-a", "shop", "--name", name];
            let create = [&create[..], &["--release", "15-a"]].concat();
            up.run(&create).await.unwrap();
            let wait = ["pg:wait", name, "-a", "shop", "--wait-interval", "2"];
            let status = up.json::<Vec<Value>>(&wait).await.unwrap();
            assert_eq!(status[0]["message"], "available");
        }
        let shop = Self { up };
        for (var, name) in [
            ("DATABASE_URL", "orders"),
            ("HEROKU_POSTGRESQL_AMBER_URL", "fresh"),
        ] {
            let sql = format!("CREATE TABLE who AS SELECT '{name}'::text AS name");
            let url = shop.vars().await[var].as_str().unwrap().to_owned();
            let client = connect(&url.parse().unwrap()).await.unwrap();
            client.batch_execute(&sql).await.unwrap();
        }
        shop
    }

    async fn vars(&self) -> Value {
        self.up.json(&["config", "-a", "shop"]).await.unwrap()
    }

    /// Where an application that is started now comes out.
    pub(crate) async fn reached(&self) -> String {
        let vars: Vars = self.up.json(&["config", "-a", "shop"]).await.unwrap();
        let client = connect(&vars.database.parse().unwrap()).await.unwrap();
        let row = client.query_one("SELECT name FROM who", &[]).await;
        row.unwrap().get(0)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.up.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_leads_applications_to_the_other_database_and_back() {
    let shop = Shop::open().await;
    let mut transcript = String::new();
    let mut types = async |line: &str| {
        let args: Vec<&str> = line.split(' ').collect();
        let ended = shop.up.attempt(&args).await.unwrap();
        let code = ended.code.unwrap();
        writeln!(transcript, "$ upkeep {line}   [exit {code}]").unwrap();
        for (channel, text) in [("err", &ended.stderr), ("out", &ended.stdout)] {
            for line in text.lines() {
                writeln!(transcript, "{channel}| {line}").unwrap();
            }
        }
    };
    assert_eq!(shop.reached().await, "orders");
    types("pg:promote fresh -a shop").await;
    assert_eq!(shop.reached().await, "fresh");
    types("pg:info DATABASE -a shop").await;
    types("pg:promote fresh -a shop").await;

    types("addons:attach orders -a shop --as DATABASE").await;
    types("addons:attach orders -a shop --as DATABASE --confirm fresh").await;
    assert_eq!(shop.reached().await, "fresh");
    types("addons:attach orders -a shop --as DATABASE --confirm shop").await;
    assert_eq!(shop.reached().await, "orders");
    types("pg:promote AMBER -a shop").await;
    types("pg:promote orders -a shop --as reports").await;
    types("pg:promote fresh -a shop --as REPORTS").await;

    types("apps:create blog").await;
    types("addons:attach shop::DATABASE -a blog").await;
    types("addons").await;
    types("addons:detach HEROKU_POSTGRESQL_AMBER -a blog --json").await;
    types("addons:detach HEROKU_POSTGRESQL_AQUA -a shop").await;
    types("addons:detach DATABASE -a shop").await;
    types("addons:detach NOTHING -a shop").await;
    types("pg:wait -a shop").await;
    types("config:get REPORTS_URL HEROKU_POSTGRESQL_AMBER_URL -a shop").await;

    types("addons:destroy fresh -a shop --confirm shop").await;
    assert!(shop.vars().await.get("REPORTS_URL").is_none());
    wait_until("nothing of it", SOON, async || {
        let left = shop.up.json::<Vec<Value>>(&["addons"]).await;
        left.unwrap().len() == 1
    })
    .await;
    types("addons -a shop").await;
    with_settings!({ filters => FILTERS.to_vec() }, {
        assert_snapshot!(transcript);
    });
}

/// What differs from run to run.
const FILTERS: [(&str, &str); 7] = [
    (r"postgres://\S+", "[url]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[time]"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[id]"),
    (r"(Data Size: +).*", "$1[size]"),
    (r"(Connections: +)\d+/", "$1[count]/"),
    (r"(PG Version: +).*", "$1[version]"),
    // It follows from the id.
    (r"(Maintenance window: +).*", "$1[window]"),
];
