//! The lines of `pg:info`, in Heroku's words and order. Lines about what is not known are left out.

use upkeep_api::body::InfoEntry;
use upkeep_domain::maintenance::Status;

use crate::backend::{InfoView, MaintenanceView};
use crate::times;

pub(super) fn entries(view: &InfoView) -> Vec<InfoEntry> {
    let plan = &view.database.plan;
    let mut lines = vec![
        line("Plan", Some(plan.title.clone())),
        line("Status", Some(view.status.clone())),
        line("HA Status", view.standby_ready.map(available)),
        line(
            "Data Size",
            view.size_bytes
                .map(|size| format!("{}/{}.0 GB", bytes(size), plan.disk_gb)),
        ),
        line("Tables", view.tables.map(|tables| tables.to_string())),
        line("PG Version", Some(view.postgres_version.clone())),
        line("Release", Some(view.release.clone())),
        line(
            "Connections",
            view.connections
                .map(|open| format!("{open}/{}", plan.connections)),
        ),
        line(
            "Created",
            Some(
                view.database
                    .created_at
                    .strftime("%Y-%m-%d %H:%M UTC")
                    .to_string(),
            ),
        ),
    ];
    if let Some(leader) = &view.following {
        lines.push(databases("Following", vec![leader.url.clone()]));
        lines.push(line("Behind By", leader.behind_by.map(commits)));
    }
    lines.push(databases("Followers", view.followers.clone()));
    lines.push(line("Maintenance", Some(maintenance(&view.maintenance))));
    lines.push(line("Maintenance window", view.maintenance.window.clone()));
    lines.retain(|line| !line.values.is_empty());
    lines
}

fn line(name: &str, value: Option<String>) -> InfoEntry {
    InfoEntry {
        name: name.to_owned(),
        resolve_db_name: false,
        values: value.into_iter().collect(),
    }
}

/// Heroku's words.
fn commits(behind_by: u64) -> String {
    match behind_by {
        1 => "1 commit".to_owned(),
        other => format!("{other} commits"),
    }
}

/// Heroku's words.
fn available(ready: bool) -> String {
    let word = if ready {
        "Available"
    } else {
        "Temporarily Unavailable"
    };
    word.to_owned()
}

fn databases(name: &str, urls: Vec<String>) -> InfoEntry {
    InfoEntry {
        name: name.to_owned(),
        resolve_db_name: true,
        values: urls,
    }
}

fn maintenance(view: &MaintenanceView) -> String {
    match view.status {
        Status::Running => return "running now".to_owned(),
        Status::None | Status::Completed => return "not required".to_owned(),
        Status::Pending | Status::Preparing | Status::Ready => {}
    }
    let mut parts = Vec::new();
    parts.extend(
        view.scheduled_for
            .map(|at| format!("scheduled for {}", times::spelled(at))),
    );
    parts.extend(
        view.required_by
            .map(|at| format!("required by {}", times::spelled(at))),
    );
    if view.status == Status::Preparing {
        parts.push("replacement currently being prepared".to_owned());
    }
    if parts.is_empty() {
        parts.push("required".to_owned());
    }
    parts.join(", ")
}

const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];

/// As PostgreSQL's `pg_size_pretty` has it, with one more digit.
fn bytes(count: u64) -> String {
    let mut amount = count as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} {}", UNITS[0])
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_written_for_people() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(8_003_583), "7.6 MB");
        assert_eq!(bytes(5 * 1024_u64.pow(4)), "5.0 TB");
    }
}
