//! A database that is large enough for its copy to be met in the middle.

/// About 300 MB: characters of that length are not compressed.
pub(super) const BALLAST: &str = "CREATE TABLE ballast(filler char(1000));
    INSERT INTO ballast SELECT 'x' FROM generate_series(1, 270000)";
/// What is said of a copy under way.
pub(super) const HALF_COPIED: &str = "MB of about";
