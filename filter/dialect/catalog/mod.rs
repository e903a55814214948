//! The routes of all dialects, and those that a policy adds: a tree of path segments.
//!
//! | here | what it is |
//! |---|---|
//! | `template` | one segment of a route's path |
//! | `parse` | the text in which a dialect says its routes and bodies |
//! | `routes` | the tree |
//! | `weights` | what files of weights are called |

mod parse;
mod routes;
mod template;
mod weights;

use std::sync::LazyLock;

use super::DIALECTS;

pub use routes::{Found, Route, Routes};
pub use weights::names_weights;

pub(super) use parse::{Described, read};

/// The routes of all dialects. A line that is wrong is left out: tests see that there is none.
static BUILT_IN: LazyLock<Routes> = LazyLock::new(|| {
    let mut routes = Routes::default();
    for dialect in DIALECTS {
        for route in read(dialect, dialect.routes).into_iter().flatten() {
            let _ = routes.add(route);
        }
    }
    routes
});

/// The routes of all dialects.
#[must_use]
pub fn built_in() -> &'static Routes {
    &BUILT_IN
}
