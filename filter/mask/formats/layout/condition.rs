//! What a member of an object is may be told by another one: of Gemini's parts, those with
//! `"thought": true` are reasoning.

use crate::formats::extent::Extent;
use crate::prefilter::end_of_string;

/// Conditions of one layout.
pub(super) const MAX_CONDITIONS: usize = 64;

/// The conditions that an object meets, by their index in its layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::formats) struct Met(u64);

impl Met {
    /// With one more, whose index is below [`MAX_CONDITIONS`].
    pub(super) fn add(&mut self, index: usize) {
        self.0 |= Self::bit(index);
    }

    pub(super) fn has(self, index: usize) -> bool {
        self.0 & Self::bit(index) != 0
    }

    fn bit(index: usize) -> u64 {
        let shift = u32::try_from(index).ok();
        shift
            .and_then(|shift| 1_u64.checked_shl(shift))
            .unwrap_or(0)
    }
}

/// A member that has to be there, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// The names that lead to it.
    path: Vec<Vec<u8>>,
    /// A string's content, or a literal name.
    value: Vec<u8>,
    /// What must stand nowhere in the object.
    without: Option<Vec<u8>>,
}

impl Condition {
    /// Reads `name/name=value` or `name/name=value!without`.
    pub(super) fn read(word: &str) -> Option<Self> {
        let (path, value) = word.split_once('=')?;
        let (value, without) = match value.split_once('!') {
            Some((value, without)) => (value, Some(without)),
            None => (value, None),
        };
        if value.is_empty() || without == Some("") || path.split('/').any(str::is_empty) {
            return None;
        }
        Some(Self {
            path: path
                .split('/')
                .map(|name| name.as_bytes().to_vec())
                .collect(),
            value: value.as_bytes().to_vec(),
            without: without.map(|without| without.as_bytes().to_vec()),
        })
    }

    /// Whether the object that begins `json` has the member, with this value.
    pub(super) fn is_met_by(&self, json: &[u8]) -> bool {
        let mut value = json;
        for name in &self.path {
            match member(value, name) {
                Some(member) => value = member,
                None => return false,
            }
        }
        let content = value
            .strip_prefix(b"\"")
            .and_then(|it| it.strip_suffix(b"\""));
        content.unwrap_or(value) == self.value && !self.is_excluded(json)
    }

    fn is_excluded(&self, json: &[u8]) -> bool {
        let Some(without) = &self.without else {
            return false;
        };
        let object = Extent::default().end(json).and_then(|end| json.get(..end));
        object.is_none_or(|object| memchr::memmem::find(object, without).is_some())
    }
}

/// The value of the member of this name of the object that begins `json`; of several, the last, as
/// readers of JSON have it. What is no JSON has none, or another one than it seems to have.
fn member<'j>(json: &'j [u8], name: &[u8]) -> Option<&'j [u8]> {
    let mut at = json.strip_prefix(b"{").map(|_| 1)?;
    let mut depth = 1_usize;
    let mut key: &[u8] = &[];
    let mut value = None;
    let mut found = None;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                let rest = json.get(at + 1..).unwrap_or_default();
                let length = end_of_string(rest, false).0?;
                if depth == 1 && value.is_none() {
                    key = rest.get(..length).unwrap_or_default();
                }
                at += length + 1;
            }
            b'{' | b'[' => depth = depth.saturating_add(1),
            b':' if depth == 1 => value = Some(at + 1),
            b',' | b'}' | b']' => {
                if depth == 1 {
                    let range = value.take().and_then(|start| json.get(start..at));
                    if let Some(range) = range.filter(|_| key == name) {
                        found = Some(range.trim_ascii());
                    }
                }
                if *byte != b',' {
                    depth -= 1;
                    if depth == 0 {
                        return found;
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_met_by_the_member_that_it_names() {
        let met =
            |word: &str, json: &str| Condition::read(word).unwrap().is_met_by(json.as_bytes());
        for (word, json, expected) in [
            ("thought=true", r#"{"text":"a","thought":true}"#, true),
            (
                "thought=true",
                r#"{"thought" : true , "text":"a"} more"#,
                true,
            ),
            ("thought=true", r#"{"thought":false}"#, false),
            ("thought=true", r#"{"thought":true,"thought":false}"#, false),
            ("thought=true", r#"{"a":{"thought":true}}"#, false),
            ("thought=true", r#"{"a":"thought","b":true}"#, false),
            (
                "thought=true",
                r#"{"a":["thought",{"thought":true}]}"#,
                false,
            ),
            ("thought=true", r#"[{"thought":true}]"#, false),
            ("thought=true", r#"{"thought":true"#, false),
            ("type=x_y", r#"{"a":"}\"{","type":"x_y"}"#, true),
            ("type=x_y", r#"{"type":"x_yz"}"#, false),
            ("a/b=true", r#"{"a":{"c":1,"b":true},"d":1}"#, true),
            ("a/b=true", r#"{"a":[{"b":true}]}"#, false),
            ("a/b=true", "{\"a\":", false),
            ("a=true!/b", r#"{"a":true,"c":"b"} /b"#, true),
            ("a=true!/b", r#"{"a":true,"c":"</b"}"#, false),
        ] {
            assert_eq!(met(word, json), expected, "{word} {json}");
        }
        for wrong in ["a=", "=b", "a//b=c", "a", "a=b!", "a=!b"] {
            assert_eq!(Condition::read(wrong), None, "{wrong}");
        }
    }
}
