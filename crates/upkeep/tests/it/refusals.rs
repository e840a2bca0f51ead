//! What cannot be done is refused in a sentence, with the documented exit code, and changes nothing.

mod asked;
mod preflight;
mod room;
mod up;

use upkeep_testkit::up::{Ended, Up};

/// Wrong usage, or refused with a reason.
const REFUSED: Option<i32> = Some(2);
/// It did not come about, and nothing changed.
const NOT_DONE: Option<i32> = Some(1);

fn said(ended: &Ended, code: Option<i32>, sentence: &str) {
    assert!(
        ended.code == code && ended.stderr.contains(sentence),
        "expected {code:?} and `{sentence}`: {ended:#?}"
    );
    assert_eq!(ended.stdout, "", "no result where there is none");
}

/// All that can be listed, as it is printed for programs.
async fn listing(up: &Up) -> Vec<String> {
    let mut all = Vec::new();
    for args in [
        &["apps", "--json"][..],
        &["addons", "--json"],
        &["releases", "--json"],
        &["config", "-a", "shop", "--json"],
        &["data:maintenances", "-a", "shop", "--json"],
        &[
            "data:maintenances:history",
            "DATABASE",
            "-a",
            "shop",
            "--json",
        ],
    ] {
        let ended = up.attempt(args).await.unwrap();
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
        all.push(ended.stdout);
    }
    all
}
