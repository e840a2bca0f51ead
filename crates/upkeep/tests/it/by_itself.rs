//! Maintenance without anybody's hand: planned when a newer release is there, told by mail, prepared before its window
//! and done when that opens.

use std::fs;
use std::time::Duration;

use camino::Utf8PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use upkeep_testkit::releases_source;
use upkeep_testkit::smtp_server::{self, SmtpServer};
use upkeep_testkit::up::{Options, Role};

use crate::books::Books;
use crate::load;
use crate::wait::{wait_for, wait_until};
use crate::world::{APP, World, options};

const OLDER: &str = "15.18";
const NEWER: &str = "15.20";
const SOON: Duration = Duration::from_secs(30);
const OWNER: &str = "ama@example.com";
const DBA: &str = "dba@example.com";
/// What the server was handing over when it was killed is taken up again after a minute.
const HEARD_WITHIN: Duration = Duration::from_secs(90);
const DONE_WITHIN: Duration = Duration::from_secs(120);

impl World {
    /// Nothing while the server is away.
    async fn ask(&self, command: &str) -> Option<Value> {
        let command = format!("data:maintenances:{command} {} -a {APP}", self.database);
        let words: Vec<&str> = command.split(' ').collect();
        self.up.json(&words).await.ok()
    }

    async fn is_at(&self, status: &str) -> bool {
        let told = self.ask("info").await;
        told.is_some_and(|told| told["status"] == status)
    }
}

/// A mail server, and the file by which Upkeep knows it.
struct Mail {
    server: SmtpServer,
    folder: TempDir,
}

impl Mail {
    async fn start() -> Self {
        let kind = smtp_server::Kind {
            tls: Some("starttls"),
            ..smtp_server::Kind::default()
        };
        let server = SmtpServer::start(kind).await;
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("notices.toml"), server.settings()).unwrap();
        Self { server, folder }
    }

    fn settings(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join("notices.toml")).unwrap()
    }

    /// Subjects of what somebody got, in their order; what came twice counts once, for it says the same.
    fn subjects(&self, to: &str) -> Vec<String> {
        let mut letters: Vec<String> = Vec::new();
        for kept in self.server.all() {
            assert!(kept.encrypted);
            if kept.to == [to] && !letters.contains(&kept.message) {
                letters.push(kept.message);
            }
        }
        let ids = letters.iter().map(|letter| header(letter, "Message-ID"));
        let ids: std::collections::BTreeSet<_> = ids.collect();
        assert_eq!(ids.len(), letters.len(), "twice with different content");
        letters
            .iter()
            .map(|letter| header(letter, "Subject"))
            .collect()
    }

    async fn has(&self, to: &str, what: &str) -> String {
        wait_for(
            &format!("{to} has heard: {what}"),
            HEARD_WITHIN,
            async || {
                let mut subjects = self.subjects(to).into_iter();
                subjects.find(|subject| subject.starts_with(what))
            },
        )
        .await
    }
}

fn header(letter: &str, name: &str) -> String {
    let unfolded = letter.replace("\r\n ", " ");
    let mut lines = unfolded.lines();
    let found = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")));
    found.expect("it has such a header").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_comes_by_itself_when_its_window_opens_and_through_the_death_of_the_server() {
    let mail = Mail::start().await;
    let looking = Options {
        plan_every: Some(Duration::from_secs(1)),
        notices: Some(mail.settings()),
        owner: Some(OWNER.to_owned()),
        ..options()
    };
    let sources = [OLDER, NEWER].map(|version| releases_source::find(version).unwrap());
    let world = World::between_with(&sources, looking).await;
    let add = ["recipients:add", DBA, "--fleet"];
    world.up.run(&add).await.unwrap();
    let load = load::start(&world).await;
    wait_until("it is planned", SOON, async || world.is_at("pending").await).await;
    world.up.crash(Role::Server).unwrap();
    for who in [OWNER, DBA] {
        let scheduled = mail.has(who, "Maintenance of").await;
        assert!(scheduled.contains(&world.database), "{scheduled}");
    }
    let books = Books::open(&world.up).await;
    books.let_window_open(&world.database, "10 minutes").await;
    wait_until("it is prepared", SOON, async || {
        world.is_at("preparing").await
    })
    .await;
    world.up.crash(Role::Server).unwrap();
    wait_until("it is ready", SOON, async || world.is_at("ready").await).await;
    world.up.crash(Role::Server).unwrap();
    wait_until("it waits", SOON, async || world.is_at("ready").await).await;
    books.let_window_open(&world.database, "0 minutes").await;
    wait_until("it is begun", SOON, async || world.is_at("running").await).await;
    world.up.crash(Role::Server).unwrap();
    let history = wait_for("it has ended", DONE_WITHIN, async || {
        let history = world.ask("history").await?;
        history[0]["outcome"].is_string().then_some(history)
    })
    .await;
    let [run] = &history.as_array().unwrap()[..] else {
        panic!("it ran once: {history}");
    };
    assert_eq!(run["outcome"], "succeeded", "{run}");
    assert_eq!(run["begun_by"], "Upkeep");
    assert_eq!(run["method"], "changeover");
    assert_eq!(run["reason"], "security_release");
    assert_eq!(
        run["reason_because"],
        "PostgreSQL 15.20 closes security holes"
    );
    assert!(run["window"].is_string());
    let [scheduled_for, started_at] = ["scheduled_for", "started_at"].map(|at| run[at].as_str());
    assert!(
        scheduled_for.is_some() && scheduled_for <= started_at,
        "{run}"
    );
    load::promise_held(load).await;
    for who in [OWNER, DBA] {
        mail.has(who, "Done").await;
        let subjects = mail.subjects(who);
        let [.., started, done] = &subjects[..] else {
            panic!("{subjects:?}");
        };
        assert!(started.starts_with("Started"), "{subjects:?}");
        let gap = run["felt"]["longest_write_gap_ms"].as_f64().unwrap();
        let verdict = format!("writes paused for {gap:.0} ms");
        assert!(done.ends_with(&verdict), "{done} {verdict}");
    }
    let notices: Value = world.up.json(&["notices"]).await.unwrap();
    let deliveries = notices.as_array().unwrap().iter();
    let mut states = deliveries.flat_map(|notice| notice["deliveries"].as_array().unwrap());
    assert!(
        states.all(|delivery| delivery["state"] == "sent"),
        "{notices}"
    );
}
