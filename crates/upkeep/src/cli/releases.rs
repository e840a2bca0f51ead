//! Arguments about PostgreSQL releases. Paths are those of the server's host.

use camino::Utf8PathBuf;
use clap::Args;
use clap::builder::NonEmptyStringValueParser as NonEmpty;

#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("from").required(true).args(["system", "debian", "file"]))]
pub struct ReleasesAdd {
    /// An installation on the host: its folder, or its bin folder
    #[arg(long, value_name = "DIR")]
    pub system: Option<Utf8PathBuf>,
    /// A Debian package, by version: 15.20 or 15.20-0+deb12u1
    #[arg(long, value_name = "VERSION")]
    pub debian: Option<String>,
    /// A file on the host: .deb, .whl, .zip, .tgz or .tar.gz
    #[arg(long, value_name = "FILE")]
    pub file: Option<Utf8PathBuf>,
    /// SHA-256 that the file must have
    #[arg(long, value_name = "HEX", conflicts_with_all = ["system", "debian"])]
    pub sha256: Option<String>,
    /// Folder within the file, if it holds several installations
    #[arg(long, value_name = "SUBFOLDER", conflicts_with_all = ["system", "debian"])]
    pub root: Option<Utf8PathBuf>,
    /// Name of the release [default: made from version and source]
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct ReleasesInfo {
    /// Name of the release
    #[arg(value_parser = NonEmpty::new())]
    pub name: String,
}

#[derive(Clone, Debug, Args)]
pub struct ReleasesRemove {
    /// Name of the release
    #[arg(value_parser = NonEmpty::new())]
    pub name: String,
}
