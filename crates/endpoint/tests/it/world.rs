//! An endpoint in front of a server, its control client, and clients of both kinds.

use std::net::SocketAddr;

use camino::Utf8PathBuf;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, NoTls};
use upkeep_domain::hold::{HoldLimits, HoldReply, Prepared, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::ports::Traffic;
use upkeep_domain::route::{Access, Route, Target};
use upkeep_endpoint::status::DatabaseStatus;
use upkeep_endpoint::{Endpoint, EndpointClient, EndpointConfig};
pub(crate) use upkeep_testkit::wait::wait_until;
use uuid::Uuid;

use crate::postgres::Server;
use crate::raw::RawClient;

pub(crate) const DBNAME: &str = "shop";
pub(crate) const FENCE: Fence = Fence(7);

pub(crate) struct World {
    pub(crate) primary: Server,
    pub(crate) endpoint: EndpointClient,
    pub(crate) address: SocketAddr,
    folder: TempDir,
    running: JoinHandle<()>,
}

impl World {
    /// A primary, and an endpoint that leads to it.
    pub(crate) async fn new() -> Self {
        // Shown for a test that fails.
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let primary = Server::primary().await;
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let (endpoint, address, running) = start(&folder).await;
        let world = Self {
            primary,
            endpoint,
            address,
            folder,
            running,
        };
        let target = world.primary.target().await;
        world.route(&target, FENCE).await.unwrap();
        world
    }

    /// The endpoint ends, and another one starts on what it kept.
    pub(crate) async fn restart_endpoint(&mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
        let _ = std::fs::remove_file(self.folder.path().join("control"));
        (self.endpoint, self.address, self.running) = start(&self.folder).await;
    }

    pub(crate) async fn route(
        &self,
        target: &Target,
        fence: Fence,
    ) -> Result<(), upkeep_domain::ports::TrafficError> {
        let route = Route {
            database: DatabaseId(Uuid::from_u128(1)),
            dbname: DBNAME.to_owned(),
            server_dbname: None,
            access: Access::ReadWrite,
            fence,
            target: target.clone(),
        };
        self.endpoint.route(&route).await
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connect_as("ann", "secret", DBNAME).await.unwrap()
    }

    pub(crate) async fn connect_as(
        &self,
        user: &str,
        password: &str,
        dbname: &str,
    ) -> Result<Client, Error> {
        connect(self.address, user, password, dbname).await
    }

    pub(crate) async fn raw(&self) -> RawClient {
        RawClient::connect(self.address, "ann", "secret", DBNAME).await
    }

    pub(crate) async fn hold(&self) -> HoldReply {
        self.endpoint
            .hold(DBNAME, FENCE, &HoldLimits::default())
            .await
            .unwrap()
    }

    pub(crate) async fn prepare(&self, target: &Target) -> Prepared {
        let prepared = self.endpoint.prepare(DBNAME, FENCE, target).await;
        prepared.unwrap()
    }

    pub(crate) async fn hold_all(&self) -> u32 {
        match self.hold().await {
            HoldReply::Held { sessions, .. } => sessions,
            HoldReply::Blocked { blockers } => panic!("blocked by {blockers:?}"),
        }
    }

    pub(crate) async fn release_same(&self) {
        self.endpoint
            .release(DBNAME, FENCE, &ReleaseOnto::Same)
            .await
            .unwrap();
    }

    pub(crate) async fn release_onto(&self, target: &Target) {
        let onto = ReleaseOnto::Replacement {
            target: target.clone(),
        };
        self.endpoint.release(DBNAME, FENCE, &onto).await.unwrap();
    }

    /// Every session moves to a new one of the same server.
    pub(crate) async fn move_to_itself(&self, prepared: bool) {
        let target = self.primary.target().await;
        if prepared {
            self.prepare(&target).await;
        }
        self.hold_all().await;
        self.endpoint.seal(DBNAME, FENCE).await.unwrap();
        self.release_onto(&target).await;
    }

    pub(crate) async fn status(&self) -> DatabaseStatus {
        let all = self.endpoint.status().await.unwrap();
        all.into_iter()
            .find(|database| database.dbname == DBNAME)
            .unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.running.abort();
    }
}

pub(crate) async fn connect(
    address: SocketAddr,
    user: &str,
    password: &str,
    dbname: &str,
) -> Result<Client, Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(address.port());
    config
        .user(user)
        .password(password)
        .dbname(dbname)
        .application_name("test");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn start(folder: &TempDir) -> (EndpointClient, SocketAddr, JoinHandle<()>) {
    let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    let clients = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = clients.local_addr().unwrap();
    let socket = folder.join("control");
    let control = UnixListener::bind(&socket).unwrap();
    let endpoint = Endpoint::start(EndpointConfig::new(folder), clients, control)
        .await
        .unwrap();
    let running = tokio::spawn(async move {
        endpoint.run(std::future::pending()).await.unwrap();
    });
    (EndpointClient::new(&socket).unwrap(), address, running)
}
