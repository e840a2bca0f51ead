//! A server on a port of its own, for one test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use upkeep_api::body::{Addon, Wish};
use upkeep_api::client::Client;
use upkeep_domain::ports::Random;
use upkeep_server::Services;
use uuid::Uuid;

use crate::world::{TOKEN, World};

pub(crate) struct Program {
    pub(crate) world: Arc<World>,
    pub(crate) client: Client,
    http: reqwest::Client,
    url: String,
    serving: JoinHandle<std::io::Result<()>>,
}

/// An answer, taken apart.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: `{}`", self.text))
    }
}

/// Ids that count up, so that two runs of a test are the same.
#[derive(Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1)
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl Program {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(World::default());
        let services = Services {
            backend: world.clone(),
            random: Arc::new(Counting::default()),
        };
        let serving = tokio::spawn(upkeep_server::serve(
            listener,
            services,
            std::future::pending(),
        ));
        let client = Client::new(&url, TOKEN).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            world,
            client,
            http,
            url,
            serving,
        }
    }

    /// With an app `shop` and a database of it that runs.
    pub(crate) async fn with_a_database() -> (Self, Addon) {
        let program = Self::start().await;
        program
            .client
            .create_app(Some("shop".to_owned()))
            .await
            .unwrap();
        let addon = program.new_database().await;
        program.world.provisioned(addon.id);
        (program, addon)
    }

    pub(crate) async fn new_database(&self) -> Addon {
        let wish = Wish {
            plan: "heroku-postgresql:standard-0".to_owned(),
            ..Wish::default()
        };
        self.client.create_addon("shop", wish).await.unwrap()
    }

    /// As Heroku's client sends it, with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(TOKEN)
    }

    pub(crate) fn without_token(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let request_id = answer
        .headers()
        .get("request-id")
        .map(|id| id.to_str().unwrap().to_owned());
    Answer {
        status: answer.status(),
        request_id,
        text: answer.text().await.unwrap(),
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
