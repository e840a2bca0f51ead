//! Where the server is and what lets us in: the environment, else what `upkeep up` left behind.
//!
//! Never an argument: those can be read by everybody on the machine.

use std::env;
use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use upkeep_api::client::Client;

use crate::cli::Global;
use crate::exit::Failure;

const DEFAULT_URL: &str = "http://127.0.0.1:5055";
const DIR_NAME: &str = ".upkeep";

/// `client.json` in the directory of `upkeep up`.
#[derive(Default, Deserialize)]
struct ClientFile {
    url: Option<String>,
    token: Option<String>,
}

pub(super) fn connect(global: &Global) -> Result<Client, Failure> {
    let dir = global.dir.clone().unwrap_or_else(default_dir);
    let url = env_text("UPKEEP_URL");
    let token = env_text("UPKEEP_TOKEN");
    let file = client_file(&dir)?;
    let token = match token.or(file.token) {
        Some(token) => token,
        None => token_file(&dir)?,
    };
    let url = url.or(file.url).unwrap_or_else(|| DEFAULT_URL.to_owned());
    Ok(Client::new(&url, &token)?)
}

/// `./.upkeep` if it is there, else `~/.upkeep`.
pub fn default_dir() -> Utf8PathBuf {
    let here = Utf8PathBuf::from(DIR_NAME);
    if here.is_dir() {
        return here;
    }
    env_text("HOME").map_or(here, |home| Utf8PathBuf::from(home).join(DIR_NAME))
}

fn env_text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

fn client_file(dir: &Utf8Path) -> Result<ClientFile, Failure> {
    let path = dir.join("client.json");
    let Some(text) = read(&path)? else {
        return Ok(ClientFile::default());
    };
    serde_json::from_str(&text)
        .map_err(|error| Failure::refused(format!("understand `{path}`: {error}")))
}

fn token_file(dir: &Utf8Path) -> Result<String, Failure> {
    let text = read(&dir.join("token"))?.map(|text| text.trim().to_owned());
    text.filter(|text| !text.is_empty()).ok_or_else(|| {
        Failure::refused(format!(
            "there is no token: neither UPKEEP_TOKEN nor a file in `{dir}`"
        ))
        .with_hint("`upkeep up` makes one; --dir or UPKEEP_DIR says where it ran")
    })
}

fn read(path: &Utf8Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::refused(format!("read `{path}`: {error}"))),
    }
}
