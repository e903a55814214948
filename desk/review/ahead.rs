//! What was asked ahead of need is for, in a few words.

use serde::Deserialize as _;
use serde_json::Value;

use super::member::{any, text};
use crate::approvals::protocol::Calendar;

/// For whom: a group, or a subject.
pub(super) fn holder(approval: &Value) -> String {
    match text(approval, "group") {
        Some(group) => format!("group {group}"),
        None => any(approval, "subject"),
    }
}

/// For which model.
pub(super) fn model(approval: &Value) -> String {
    match text(approval, "models") {
        Some(models) => format!("{models} model"),
        None => any(approval, "model"),
    }
}

/// When, as `mon-fri 09:00-17:00 +01:00 until 2027-01-31`; of a desk that says more than this version knows, all
/// that it says.
pub(super) fn calendar(approval: &Value) -> String {
    let said = approval.get("calendar").unwrap_or(&Value::Null);
    Calendar::deserialize(said).map_or_else(
        |_| any(approval, "calendar"),
        |calendar| calendar.to_string(),
    )
}
