//! `docs/workflows.md` carries the step tables as the code has them.
//!
//! `UPDATE_DOCS=1 cargo nextest run -p upkeep-domain` writes them anew.

use std::path::Path;

use upkeep_domain::procedure::{
    changeover, destroy, failover, follow, follower_changeover, provision, restart, standby, table,
    unfollow,
};

const BEGIN: &str = "<!-- tables: begin -->\n";
const END: &str = "<!-- tables: end -->";

#[test]
fn the_tables_in_the_documentation_are_those_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/workflows.md");
    let text = std::fs::read_to_string(&file).expect("docs/workflows.md is there");
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("it marks where the tables begin");
    let (_, after) = rest.split_once(END).expect("it marks where the tables end");
    let tables = [
        table::markdown::<provision::Step>(),
        table::markdown::<changeover::Step>(),
        table::markdown::<restart::Step>(),
        table::markdown::<failover::Step>(),
        table::markdown::<standby::Step>(),
        table::markdown::<follow::Step>(),
        table::markdown::<follower_changeover::Step>(),
        table::markdown::<unfollow::Step>(),
        table::markdown::<destroy::Step>(),
    ]
    .join("\n");
    let wanted = format!("{before}{BEGIN}{tables}{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(&file, &wanted).expect("docs/workflows.md can be written");
    }
    assert_eq!(text, wanted, "run with UPDATE_DOCS=1");
}
