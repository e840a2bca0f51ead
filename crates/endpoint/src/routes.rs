//! Routes on disk, so that an endpoint that starts again needs nobody to know where clients go.
//!
//! Written whole, to a temporary file that is flushed and renamed: a reader sees the old routes or
//! the new ones. Whether a fence is too low is decided before it gets here.

use std::collections::BTreeMap;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use upkeep_domain::host_command::Fence;
use upkeep_domain::route::Route;

/// What is kept of one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) route: Route,
    /// The highest fence seen; commands below it are refused.
    pub(crate) fence: Fence,
    /// A hold was sealed and not released: the route's target may be fenced. Its hard limit.
    pub(crate) sealed_ms: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum RouteBookError {
    #[error("{action} `{path}`")]
    Io {
        action: &'static str,
        path: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` holds no routes")]
    Content {
        path: Utf8PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

/// The file, and what it holds.
pub(crate) struct RouteBook {
    path: Utf8PathBuf,
    entries: Mutex<BTreeMap<String, Entry>>,
}

impl RouteBook {
    pub(crate) async fn open(state_dir: &Utf8Path) -> Result<(Self, Vec<Entry>), RouteBookError> {
        let path = state_dir.join("routes.json");
        let entries: BTreeMap<String, Entry> = match tokio::fs::read(&path).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| {
                let path = path.clone();
                RouteBookError::Content { path, source }
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(io_error("reading", &path, source)),
        };
        let known = entries.values().cloned().collect();
        let entries = Mutex::new(entries);
        Ok((Self { path, entries }, known))
    }

    /// Returns when the entry is on disk.
    pub(crate) async fn put(&self, entry: Entry) -> Result<(), RouteBookError> {
        let mut entries = self.entries.lock().await;
        let dbname = entry.route.dbname.clone();
        if entries.get(&dbname) == Some(&entry) {
            return Ok(());
        }
        let before = entries.insert(dbname.clone(), entry);
        let written = self.write(&entries).await;
        if written.is_err() {
            match before {
                Some(before) => entries.insert(dbname, before),
                None => entries.remove(&dbname),
            };
        }
        written
    }

    pub(crate) async fn remove(&self, dbname: &str) -> Result<(), RouteBookError> {
        let mut entries = self.entries.lock().await;
        entries.remove(dbname);
        self.write(&entries).await
    }

    async fn write(&self, entries: &BTreeMap<String, Entry>) -> Result<(), RouteBookError> {
        let path = self.path.clone();
        let text = serde_json::to_vec_pretty(entries).map_err(|source| {
            let path = path.clone();
            RouteBookError::Content { path, source }
        })?;
        let written = tokio::task::spawn_blocking(move || replace(&path, &text)).await;
        written.unwrap_or_else(|ended| Err(io_error("writing", &self.path, ended.into())))
    }
}

fn replace(path: &Utf8Path, text: &[u8]) -> Result<(), RouteBookError> {
    let temporary = path.with_extension("json.new");
    let mut file =
        std::fs::File::create(&temporary).map_err(|e| io_error("creating", &temporary, e))?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    written.map_err(|e| io_error("writing", &temporary, e))?;
    std::fs::rename(&temporary, path).map_err(|e| io_error("renaming to", path, e))?;
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let flushed = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    flushed.map_err(|e| io_error("flushing", folder, e))
}

fn io_error(action: &'static str, path: &Utf8Path, source: io::Error) -> RouteBookError {
    let path = path.to_owned();
    RouteBookError::Io {
        action,
        path,
        source,
    }
}
