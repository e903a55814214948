//! How many files this process may have open. A connection is one.

/// Lets this process have as many files open as the system allows it, and says how many that are; `None` if there
/// is no limit, or the system has none of this kind.
pub fn raise() -> Option<usize> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        let before = limit.current;
        limit.current = limit.maximum;
        // Where that is refused, it stays as it was.
        let now = match setrlimit(Resource::Nofile, limit) {
            Ok(()) => limit.current,
            Err(_) => before,
        };
        now.map(|files| usize::try_from(files).unwrap_or(usize::MAX))
    }
    #[cfg(not(unix))]
    None
}
