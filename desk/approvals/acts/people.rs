//! Who may decide.

use std::collections::HashMap;
use std::sync::Arc;

use crate::http::Person;

/// Everybody who may decide, by name.
pub type People = HashMap<String, Arc<Person>>;
