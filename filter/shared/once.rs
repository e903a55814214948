//! Values that are read once.

use core::cell::RefCell;
use core::fmt;

use super::{Shared, SharedError};

/// Values of others, of which each is read again from what was seen first: a look and the change behind
/// it take one call of the host less. Whether a value has changed meanwhile, compare-and-set tells, and
/// then it is read anew.
pub struct ReadOnce<'a> {
    shared: &'a dyn Shared,
    /// What was seen and is not used up, by name.
    seen: RefCell<Vec<(String, Vec<u8>, u32)>>,
    /// Whether what is read is kept, or taken from what was.
    keeps: bool,
}

impl<'a> ReadOnce<'a> {
    /// Keeps what is read from now on.
    #[must_use]
    pub fn new(shared: &'a dyn Shared) -> Self {
        Self {
            shared,
            seen: RefCell::default(),
            keeps: true,
        }
    }

    /// From now on the first read of each value gives what was kept of it.
    #[must_use]
    pub fn reuse(self) -> Self {
        Self {
            keeps: false,
            ..self
        }
    }
}

impl Shared for ReadOnce<'_> {
    fn make(&self, name: &str) -> Result<(), SharedError> {
        self.shared.make(name)
    }

    fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
        let mut seen = self.seen.borrow_mut();
        let place = seen.iter().position(|(kept, ..)| kept == name);
        let kept = place.map(|place| seen.swap_remove(place));
        if let (Some((_, bytes, version)), false) = (kept, self.keeps) {
            return Ok((bytes, version));
        }
        let (bytes, version) = self.shared.get(name)?;
        if self.keeps {
            seen.push((name.to_owned(), bytes.clone(), version));
        }
        Ok((bytes, version))
    }

    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError> {
        self.shared.compare_and_set(name, bytes, version)
    }
}

impl fmt::Debug for ReadOnce<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ReadOnce of {} values", self.seen.borrow().len())
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::ReadOnce;
    use crate::shared::{Shared, SharedError};
    use crate::testing::Memory;

    /// Counts what is read.
    struct Counted<'a>(&'a Memory, Cell<u32>);

    impl Shared for Counted<'_> {
        fn make(&self, name: &str) -> Result<(), SharedError> {
            self.0.make(name)
        }

        fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
            self.1.set(self.1.get() + 1);
            self.0.get(name)
        }

        fn compare_and_set(&self, name: &str, bytes: &[u8], at: u32) -> Result<bool, SharedError> {
            self.0.compare_and_set(name, bytes, at)
        }
    }

    #[test]
    fn what_was_looked_at_is_not_read_again_unless_it_has_changed() {
        let memory = Memory::default();
        let counted = Counted(&memory, Cell::new(0));
        counted.make("a").unwrap();
        let looked = ReadOnce::new(&counted);
        looked.get("a").unwrap();
        let (_, version) = looked.get("a").unwrap();
        assert_eq!(counted.1.get(), 2, "while it keeps, it reads");
        let again = looked.reuse();
        assert_eq!(again.get("a"), Ok((Vec::new(), version)));
        assert_eq!(counted.1.get(), 2);

        // Somebody else was faster.
        memory.compare_and_set("a", b"new", version).unwrap();
        assert_eq!(again.compare_and_set("a", b"own", version), Ok(false));
        let (bytes, version) = again.get("a").unwrap();
        assert_eq!((bytes.as_slice(), counted.1.get()), (&b"new"[..], 3));
        assert_eq!(again.compare_and_set("a", b"own", version), Ok(true));
    }
}
