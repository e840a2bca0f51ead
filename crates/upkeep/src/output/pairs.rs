//! Names and values below each other: `status:   ready`.

/// A name with its values, each on a line of its own.
pub struct Pair {
    pub name: String,
    pub values: Vec<String>,
}

impl Pair {
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            values: vec![value.into()],
        }
    }
}

/// Aligned; names without a value are left out.
pub fn render_pairs(pairs: &[Pair]) -> String {
    let width = pairs
        .iter()
        .map(|pair| pair.name.chars().count())
        .max()
        .unwrap_or_default()
        + 1;
    let mut lines = Vec::new();
    for pair in pairs {
        let mut name = format!("{}:", pair.name);
        for value in &pair.values {
            lines.push(format!("{name:width$} {value}").trim_end().to_owned());
            name.clear();
        }
    }
    lines.join("\n")
}
