//! The letter as HTML, for mail programs: they keep inline styles and little else. Nothing is fetched when
//! it is read.

use askama::Template;
use upkeep_domain::notice::Letter;

/// What people typed is escaped by the template.
#[derive(Template)]
#[template(path = "notice.html")]
struct Page<'a> {
    letter: &'a Letter,
}

pub(super) fn page(letter: &Letter) -> String {
    let page = Page { letter }.render();
    page.expect("writing into a string does not fail")
}
