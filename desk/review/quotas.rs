//! `portcullis quota list`, `show`, `reset` and `resets`.

use std::io::Write;

use serde_json::{Value, json};

use super::failed::{Failed, Status};
use super::list::{ROWS, pages};
use super::member::{ago, any, left, list, text};
use super::remote::Remote;
use super::table::{json_line, table};
use super::{DONE, REFUSED};
use crate::plain::plain;

/// Which counts are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Only those of this quota.
    pub quota: Option<String>,
    /// Only those of this subject.
    pub subject: Option<String>,
    /// Only those of which so many percent are taken.
    pub near: Option<u64>,
    /// How many.
    pub limit: usize,
}

/// Which counts are emptied, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// The quota.
    pub quota: String,
    /// What is counted apart,
    pub key: Vec<String>,
    /// or the subject, of whom the desk knows counts.
    pub subject: Option<String>,
    /// For how many seconds filters are told.
    pub seconds: Option<u64>,
    /// Why.
    pub reason: String,
}

const HEADINGS: [&str; 9] = [
    "QUOTA", "KEY", "USED", "LIMIT", "%", "LEFT", "FULL IN", "TOLD", "ENVOY",
];

/// Lists counts, those of which most is taken first.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn quotas(desk: &Remote, counted: &Counted, out: &mut dyn Write) -> Status {
    let near = counted.near.map(|near| near.to_string());
    let path = path([
        ("quota", counted.quota.as_deref()),
        ("subject", counted.subject.as_deref()),
        ("near", near.as_deref()),
    ]);
    let found = found(desk, &path, counted.limit)?;
    if desk.json {
        return each(&found.rows, out);
    }
    if found.rows.is_empty() {
        writeln!(out, "No such count is known{}.", found.since())?;
        return Ok(DONE);
    }
    found.table(out)?;
    if found.more {
        writeln!(out, "There are more: --limit says how many are listed.")?;
    }
    writeln!(
        out,
        "As records told it{}. Each Envoy counts for itself.",
        found.since()
    )?;
    Ok(DONE)
}

/// Shows one count, of each Envoy and of all together.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn quota(desk: &Remote, quota: &str, key: &[String], out: &mut dyn Write) -> Status {
    let wanted = json!(key).to_string();
    let path = path([("quota", Some(quota)), ("key", Some(&wanted))]);
    let found = found(desk, &path, usize::MAX)?;
    if desk.json {
        return each(&found.rows, out);
    }
    if found.rows.is_empty() {
        writeln!(out, "This count isn't known{}.", found.since())?;
        return Ok(DONE);
    }
    found.table(out)?;
    let used = found.rows.iter().map(|(row, _)| number(row, "used"));
    let used = used.fold(0, u64::saturating_add);
    writeln!(
        out,
        "{used} in all, over {} Envoys{}. Each counts for itself.",
        found.rows.len(),
        found.since()
    )?;
    Ok(DONE)
}

/// Has counts emptied.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn reset(
    desk: &Remote,
    emptied: &Emptied,
    out: &mut dyn Write,
    wrong: &mut dyn Write,
) -> Status {
    let keys = match &emptied.subject {
        None => vec![json!(emptied.key)],
        Some(_) if !emptied.key.is_empty() => {
            let message = "expected a key or --subject, and not both".to_owned();
            return Err(Failed::Wrong(message));
        }
        Some(subject) => keys_of(desk, &emptied.quota, subject)?,
    };
    if keys.is_empty() {
        writeln!(
            wrong,
            "The desk knows no count of this subject: give its key, as records and the policy's \"by\" have it."
        )?;
        return Ok(REFUSED);
    }
    for key in keys {
        let mut body = json!({ "quota": emptied.quota, "key": key, "reason": emptied.reason });
        if let (Some(seconds), Some(body)) = (emptied.seconds, body.as_object_mut()) {
            body.insert("for".to_owned(), json!(seconds));
        }
        let said = desk.post("/v1/resets", &body)?;
        match desk.json {
            true => json_line(out, &said.value)?,
            false => writeln!(
                out,
                "{}  {} is reset in each Envoy that hears of it",
                plain(&any(&said.value, "id")),
                plain(&key_text(&said.value))
            )?,
        }
    }
    Ok(DONE)
}

/// Lists what filters are told to empty.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn resets(desk: &Remote, out: &mut dyn Write) -> Status {
    let mut rows = Vec::new();
    pages(desk, "/v1/resets?", "resets", ROWS, &mut |reset, at| {
        match desk.json {
            true => json_line(out, reset)?,
            false => rows.push(vec![
                any(reset, "id"),
                left(reset, "expires", at).unwrap_or_default(),
                any(reset, "quota"),
                key_text(reset),
                any(reset, "reviewer"),
                any(reset, "reason"),
            ]),
        }
        Ok(true)
    })?;
    if desk.json {
        return Ok(DONE);
    }
    if rows.is_empty() {
        writeln!(out, "No count is being reset.")?;
    } else {
        table(out, &["ID", "LEFT", "QUOTA", "KEY", "BY", "REASON"], &rows)?;
    }
    Ok(DONE)
}

/// What a desk knows, those of which most is taken first.
struct Found {
    /// With the desk's time.
    rows: Vec<(Value, i64)>,
    more: bool,
    since: Option<String>,
}

impl Found {
    /// Since when the desk knows something, as the end of a sentence.
    fn since(&self) -> String {
        let since = self.since.as_ref();
        since.map_or_else(String::new, |since| format!(", since {}", plain(since)))
    }

    fn table(&self, out: &mut dyn Write) -> Result<(), Failed> {
        let rows: Vec<_> = self.rows.iter().map(|(one, at)| row(one, *at)).collect();
        table(out, &HEADINGS, &rows)
    }
}

fn found(desk: &Remote, path: &str, most: usize) -> Result<Found, Failed> {
    let (mut rows, mut more) = (Vec::new(), false);
    pages(desk, path, "quotas", most, &mut |one, at| {
        more = rows.len() == most;
        if !more {
            rows.push((one.clone(), at));
        }
        Ok(!more)
    })?;
    let since = match desk.json {
        true => None,
        false => text(&desk.get("/v1/quotas?limit=1")?.value, "since").map(str::to_owned),
    };
    // What has the same share stays in the order in which it was told.
    rows.sort_by_key(|(one, _)| core::cmp::Reverse(share(one)));
    Ok(Found { rows, more, since })
}

/// The keys of a subject's counts of a quota.
fn keys_of(desk: &Remote, quota: &str, subject: &str) -> Result<Vec<Value>, Failed> {
    let path = path([("quota", Some(quota)), ("subject", Some(subject))]);
    let mut keys: Vec<Value> = Vec::new();
    pages(desk, &path, "quotas", ROWS, &mut |one, _| {
        if let Some(key) = one.get("key").filter(|key| !keys.contains(key)) {
            keys.push(key.clone());
        }
        Ok(true)
    })?;
    Ok(keys)
}

fn each(rows: &[(Value, i64)], out: &mut dyn Write) -> Status {
    for (row, _) in rows {
        json_line(out, row)?;
    }
    Ok(DONE)
}

fn path<const N: usize>(wanted: [(&str, Option<&str>); N]) -> String {
    let mut path = "/v1/quotas?".to_owned();
    for (name, value) in wanted {
        let Some(value) = value else { continue };
        path.push_str(name);
        path.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    path.push(char::from(byte));
                }
                _ => path.push_str(&format!("%{byte:02X}")),
            }
        }
        path.push('&');
    }
    path
}

fn number(row: &Value, name: &str) -> u64 {
    row.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// How many percent are taken.
fn share(row: &Value) -> u64 {
    let (used, limit) = (number(row, "used"), number(row, "limit"));
    let share = u128::from(used).saturating_mul(100);
    let share = share.checked_div(u128::from(limit)).unwrap_or(100);
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// A key as the command line takes it.
fn key_text(value: &Value) -> String {
    let words = list(value, "key").iter().filter_map(Value::as_str);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/@".contains(&byte);
    let words = words.map(|word| match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn row(one: &Value, at: i64) -> Vec<String> {
    let node = any(one, "node");
    let envoy = match (any(one, "filter"), node.is_empty()) {
        (filter, true) => filter,
        (filter, false) if filter.is_empty() => node,
        (filter, false) => format!("{filter}: {node}"),
    };
    vec![
        any(one, "quota"),
        key_text(one),
        any(one, "used"),
        any(one, "limit"),
        share(one).to_string(),
        any(one, "remaining"),
        left(one, "until", at).unwrap_or_default(),
        ago(one, "time", at).map_or_else(String::new, |ago| format!("{ago} ago")),
        envoy,
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{key_text, path, share};

    #[test]
    fn a_key_is_shown_as_it_can_be_given() {
        let key = |words: &[&str]| key_text(&json!({ "key": words }));
        assert_eq!(
            key(&["subject", "corp", "ana@x.example"]),
            "subject corp ana@x.example"
        );
        assert_eq!(
            key(&["other names", "", "o'neil"]),
            "'other names' '' 'o'\\''neil'"
        );
    }

    #[test]
    fn shares_and_queries() {
        let of = |used: u64, limit: u64| share(&json!({ "used": used, "limit": limit }));
        assert_eq!([of(0, 5), of(4, 5), of(7, 5), of(0, 0)], [0, 80, 140, 100]);
        assert_eq!(of(u64::MAX, u64::MAX), 100);
        let path = path([("quota", Some("a b&c")), ("subject", None)]);
        assert_eq!(path, "/v1/quotas?quota=a%20b%26c&");
    }
}
