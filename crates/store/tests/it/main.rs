//! The store on a real server: what its promises (claims, uniqueness, all or nothing) are worth
//! when statements meet. Nothing here knows what steps do.

mod attachments;
mod beginnings;
mod calendars;
mod claims;
mod commits;
mod migrations;
mod planned;
mod retention;
mod tokens;
mod turns;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use camino::Utf8Path;
use serde_json::json;
use tokio_postgres::{Client, NoTls};
use upkeep_domain::credential::Credential;
use upkeep_domain::host_command::Fence;
use upkeep_domain::id::{AppId, AttachmentId, DatabaseId, InstanceId, MaintenanceId, WorkflowId};
use upkeep_store::{
    Claim, NewAttachment, NewDatabase, NewMaintenance, NewWorkflow, Store, Transition,
};
use upkeep_testkit::postgres::ThrowAway;
use uuid::Uuid;

const BIN_DIR: &str = "/usr/lib/postgresql/15/bin";
const LEASE: Duration = Duration::from_secs(60);

/// A state database of its own, and a store on it.
struct Fixture {
    server: ThrowAway,
    store: Store,
}

async fn server() -> ThrowAway {
    ThrowAway::start(Utf8Path::new(BIN_DIR), &[("fsync", "off")])
        .await
        .expect("a throw-away server starts")
}

async fn open(server: &ThrowAway) -> Store {
    Store::open(server.direct("postgres"))
        .await
        .expect("the store opens")
}

/// A new id each time; in their order, as ids from the clock are.
fn id() -> Uuid {
    static LAST: AtomicU32 = AtomicU32::new(0);
    Uuid::from_u128(u128::from(LAST.fetch_add(1, Ordering::Relaxed)) + 1)
}

impl Fixture {
    async fn new() -> Self {
        let server = server().await;
        let store = open(&server).await;
        Self { server, store }
    }

    /// A look at the tables past the store.
    async fn sql(&self) -> Client {
        let connected = self.server.direct("postgres").connect(NoTls).await;
        let (client, connection) = connected.expect("the server accepts connections");
        tokio::spawn(connection);
        client
    }

    async fn count(&self, what: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM upkeep.{what}");
        let row = self.sql().await.query_one(&sql, &[]).await;
        row.expect("the rows are counted").get(0)
    }

    /// A database that is being provisioned, and its workflow.
    async fn provisioning(&self) -> (NewDatabase, NewWorkflow) {
        let app = AppId(id());
        let name = format!("app-{}", app.0.as_u128());
        let name = name.parse().expect("it is a name");
        let made = self.store.insert_app(app, &name).await;
        made.expect("the app is made");
        let database = database(app);
        let workflow = workflow(&database);
        self.store
            .begin_provision(&workflow, &database)
            .await
            .expect("provisioning begins");
        (database, workflow)
    }

    /// A database at which nothing is being done.
    async fn idle(&self) -> NewDatabase {
        let (database, _) = self.provisioning().await;
        let claim = self.claim("maker").await;
        self.store
            .commit(&claim, &ending(upkeep_domain::procedure::End::Succeeded))
            .await
            .expect("the workflow ends");
        database
    }

    async fn claim(&self, owner: &str) -> Claim {
        let claim = self.store.claim(owner, LEASE).await;
        claim.expect("the store answers").expect("there is work")
    }
}

fn database(app: AppId) -> NewDatabase {
    let id = DatabaseId(id());
    let number = id.0.as_u128();
    NewDatabase {
        id,
        app_id: app,
        name: format!("database-{number}").parse().expect("it is a name"),
        plan: "standard-0".to_owned(),
        attachment: attachment(app, id, &format!("COLOR_{number}")),
        dbname: format!("d{number}"),
        server_dbname: format!("d{number}"),
        follows: None,
        credential: Credential {
            role: format!("u{number}"),
            password: "never shown".to_owned(),
            verifier: "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5".to_owned(),
        },
        request_id: None,
    }
}

fn attachment(app: AppId, database: DatabaseId, name: &str) -> NewAttachment {
    NewAttachment {
        id: AttachmentId(id()),
        app_id: app,
        database_id: database,
        name: name.parse().expect("it is a name"),
        request_id: None,
    }
}

fn workflow(database: &NewDatabase) -> NewWorkflow {
    NewWorkflow {
        id: WorkflowId(id()),
        database: database.id,
        procedure: "procedure",
        first_step: "first",
        first_sentence: "Beginning",
        state: json!({ "at": "first" }),
    }
}

fn maintenance() -> NewMaintenance {
    NewMaintenance {
        id: MaintenanceId(id()),
        method: "changeover".to_owned(),
        method_because: "its plan has no standby".to_owned(),
        reason: "requested".to_owned(),
        release_before: "15.18-a".to_owned(),
        release_after: "15.20-b".to_owned(),
        waivers: Vec::new(),
        size_bytes: None,
        forecast: None,
        window: None,
        begun_by: "ama@example.com".to_owned(),
        request_id: None,
        go_on_until: None,
    }
}

/// On to another step, with nothing besides.
fn going_on() -> Transition {
    Transition {
        step: "second",
        visit: 2,
        tries: 0,
        new_step: true,
        state: json!({ "at": "second" }),
        ended_as: None,
        failure: None,
        pause: Duration::ZERO,
        events: Vec::new(),
        changes: Vec::new(),
    }
}

fn ending(end: upkeep_domain::procedure::End) -> Transition {
    Transition {
        ended_as: Some(end),
        ..going_on()
    }
}

/// The same claim, as one who was overtaken since believes to have it.
fn outdated(claim: &Claim) -> Claim {
    Claim {
        fence: Fence(claim.fence.0 - 1),
        ..claim.clone()
    }
}

fn instance() -> InstanceId {
    InstanceId(id())
}
