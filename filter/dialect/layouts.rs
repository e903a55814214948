//! What stands where in the bodies of each dialect, ready for masks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{DIALECTS, Dialect};
use mask::Layout;

/// By the dialect's name. Of a layout that can't be read, nothing is known: all that is in a body is
/// text then. A test reads all of them.
static LAYOUTS: LazyLock<BTreeMap<&str, Layout>> = LazyLock::new(|| {
    let read = |dialect: &&'static Dialect| Some((dialect.name, read(dialect).ok()?));
    DIALECTS.iter().filter_map(read).collect()
});

/// What stands where in the bodies of a dialect, if anything is said of it.
#[must_use]
pub fn layout(dialect: &Dialect) -> Option<&'static Layout> {
    if dialect.layout.is_empty() {
        return None;
    }
    LAYOUTS.get(dialect.name)
}

fn read(dialect: &Dialect) -> Result<Layout, String> {
    Layout::read(&dialect.layout.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_layouts_can_be_read() {
        for dialect in DIALECTS {
            if let Err(error) = read(dialect) {
                panic!("{}: {error}", dialect.name);
            }
        }
        let named = |name: &str| DIALECTS.iter().find(|dialect| dialect.name == name);
        assert!(layout(named("openai").unwrap()).is_some());
        assert!(layout(named("qdrant").unwrap()).is_none());
    }
}
