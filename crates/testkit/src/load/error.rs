//! Why a load could not be set up. What happens to a running load is no error but its result.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error("read the connection string of the database under test")]
    Url { source: tokio_postgres::Error },
    #[error("connect to the database under test")]
    Connect { source: tokio_postgres::Error },
    #[error("connect to the database under test, which does not answer")]
    Unanswered,
    #[error("fill the TPC-B tables at scale {scale}")]
    Fill {
        scale: u32,
        source: tokio_postgres::Error,
    },
    #[error("measure the database under test")]
    Measure { source: tokio_postgres::Error },
    #[error("make the tables that the load writes to")]
    Tables { source: tokio_postgres::Error },
    #[error("no TPC-B tables to write to: fill them first")]
    NotFilled,
    #[error("compare the stored rows with the acknowledged ones")]
    Audit { source: tokio_postgres::Error },
    #[error("compare the stored rows with the acknowledged ones within {} s", limit.as_secs())]
    Late { limit: std::time::Duration },
    #[error("open the file of acknowledged writes `{path}`")]
    Journal {
        path: camino::Utf8PathBuf,
        source: std::io::Error,
    },
}
