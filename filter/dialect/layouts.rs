//! What stands where in the bodies of each dialect, ready for masks.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use super::{DIALECTS, Dialect};
use mask::Layout;

/// By the dialect's name, each read when it is asked for. Of a layout that can't be read, nothing is
/// known: all that is in a body is text then. A test reads all of them.
static LAYOUTS: LazyLock<BTreeMap<&str, OnceLock<Option<Layout>>>> = LazyLock::new(|| {
    let names = DIALECTS.iter().map(|dialect| dialect.name);
    names.map(|name| (name, OnceLock::new())).collect()
});

/// What stands where in the bodies of a dialect, if anything is said of it.
#[must_use]
pub fn layout(dialect: &Dialect) -> Option<&'static Layout> {
    if dialect.layout.is_empty() {
        return None;
    }
    let layout = LAYOUTS.get(dialect.name)?;
    layout.get_or_init(|| read(dialect).ok()).as_ref()
}

fn read(dialect: &Dialect) -> Result<Layout, String> {
    Layout::read_all(dialect.layout)
}

#[cfg(test)]
mod tests;
