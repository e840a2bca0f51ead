//! Tables, as Heroku's command line draws them away from a terminal.

const GAP: &str = "   ";

/// Rows under headings. Cells that are missing show as `-`.
pub fn render_table(headings: &[&str], rows: &[Vec<Option<String>>]) -> String {
    let text = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".to_owned());
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect();
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells
                .chain([heading.chars().count()])
                .max()
                .unwrap_or_default()
        })
        .collect();
    let total = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let mut lines = vec![
        line(&headings, &widths),
        format!(" {}", "─".repeat(total + 2)),
    ];
    lines.extend(rows.iter().map(|row| line(row, &widths)));
    lines.join("\n")
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, &width)| format!("{cell:width$}"));
    format!("  {}", padded.collect::<Vec<_>>().join(GAP))
        .trim_end()
        .to_owned()
}
