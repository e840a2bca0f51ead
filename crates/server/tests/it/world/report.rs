//! What a preflight of this backend says.

use upkeep_domain::preflight::{Check, Judged, Report, Run, Verdict, Waiver};

use super::EMAIL;

/// With one check of each verdict.
pub(super) fn report(release: Option<String>) -> Report {
    let judged = |check, verdict, todo: Option<&str>| Judged {
        check,
        verdict,
        seen: format!("{check} was looked at"),
        todo: todo.map(str::to_owned),
        waived: None,
    };
    let waived = Waiver {
        check: Check::LogicalSlots,
        by: EMAIL.to_owned(),
        because: "made anew".to_owned(),
    };
    Report {
        run: Run::Asked,
        release_before: "15.18-system".to_owned(),
        release_after: release.unwrap_or_else(|| "15.20-debian".to_owned()),
        checks: vec![
            judged(Check::Primary, Verdict::Pass, None),
            Judged {
                waived: Some(waived),
                ..judged(Check::LogicalSlots, Verdict::Warning, Some("drop them"))
            },
            judged(Check::Room, Verdict::Blocked, Some("make room")),
        ],
        actions: Vec::new(),
    }
}
