//! Where an answer says how many tokens it took.

use base::usage::Usage;
use memchr::memchr2;

/// Members that hold counts, in one answer or in one event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsagePlaces(Vec<(Count, Vec<String>)>);

/// Which count a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Input,
    Output,
    Cached,
    Total,
}

impl UsagePlaces {
    /// Adds `input=a/b,c/d`: the kind of count, and where it may stand.
    pub(super) fn add(&mut self, text: &str) -> Option<()> {
        let (kind, places) = text.split_once('=')?;
        let kind = match kind {
            "input" => Count::Input,
            "output" => Count::Output,
            "cached" => Count::Cached,
            "total" => Count::Total,
            _ => return None,
        };
        for place in places.split(',') {
            self.0
                .push((kind, place.split('/').map(str::to_owned).collect()));
        }
        Some(())
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The most containers around a count.
const MAX_DEPTH: usize = 8;

/// The most bytes of a name that are kept: longer ones are none of those that are looked for.
const MAX_NAME_BYTES: usize = 64;

/// Reads counts from JSON that comes in pieces cut anywhere: one value, or several one after another,
/// or an array of them. It keeps names only, and no more of those than a count can have around it.
///
/// What is no JSON makes it find nothing, or something wrong: it is for what a model server says of
/// itself.
#[derive(Debug, Default)]
pub struct UsageReader {
    /// Containers that are open.
    depth: usize,
    /// The outer ones of them.
    path: Vec<Step>,
    /// The last string's beginning, as it is written.
    text: Vec<u8>,
    state: State,
    usage: Usage,
}

/// An open container.
#[derive(Debug)]
enum Step {
    Array,
    /// With the name of the member that comes.
    Object(Vec<u8>),
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Between,
    Text,
    Escape,
    /// Its value, as long as it is a whole number of 0 or more.
    Number(Option<u64>),
}

impl UsageReader {
    /// What is known. The last value of each count is what counts: streams repeat them as they grow.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// What comes next is another text, whatever was open in the last one.
    pub fn begin(&mut self) {
        self.depth = 0;
        self.path.clear();
        self.state = State::Between;
    }

    /// Takes the next piece.
    pub fn push(&mut self, places: &UsagePlaces, mut piece: &[u8]) {
        if places.is_empty() {
            return;
        }
        loop {
            if let State::Text = self.state {
                let end = memchr2(b'"', b'\\', piece).unwrap_or(piece.len());
                let (text, rest) = piece.split_at_checked(end).unwrap_or((piece, b""));
                let room = MAX_NAME_BYTES.saturating_sub(self.text.len());
                self.text.extend(text.iter().take(room));
                piece = rest;
            }
            let Some((byte, rest)) = piece.split_first() else {
                return;
            };
            self.take(places, *byte);
            piece = rest;
        }
    }

    fn take(&mut self, places: &UsagePlaces, byte: u8) {
        match &mut self.state {
            State::Text if byte == b'\\' => {
                // No name that is looked for has one, or is as long as what is kept.
                if self.text.len() < MAX_NAME_BYTES {
                    self.text.push(byte);
                }
                self.state = State::Escape;
            }
            State::Text => self.state = State::Between,
            State::Escape => self.state = State::Text,
            State::Number(value) => match byte {
                b'0'..=b'9' => {
                    let digit = u64::from(byte.wrapping_sub(b'0'));
                    let longer = value.and_then(|value| value.checked_mul(10));
                    *value = longer.and_then(|value| value.checked_add(digit));
                }
                b'.' | b'e' | b'E' | b'+' | b'-' => *value = None,
                _ => {
                    let value = value.take();
                    self.state = State::Between;
                    if let Some(value) = value {
                        self.count(places, value);
                    }
                    self.between(byte);
                }
            },
            State::Between => self.between(byte),
        }
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'{' => self.open(Step::Object(Vec::new())),
            b'[' => self.open(Step::Array),
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.path.truncate(self.depth);
            }
            b'"' => {
                self.text.clear();
                self.state = State::Text;
            }
            b':' if self.path.len() == self.depth => {
                if let Some(Step::Object(name)) = self.path.last_mut() {
                    core::mem::swap(name, &mut self.text);
                }
            }
            b'0'..=b'9' => self.state = State::Number(Some(u64::from(byte.wrapping_sub(b'0')))),
            b'-' => self.state = State::Number(None),
            _ => {}
        }
    }

    fn open(&mut self, step: Step) {
        if self.depth < MAX_DEPTH && self.path.len() == self.depth {
            self.path.push(step);
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn count(&mut self, places: &UsagePlaces, value: u64) {
        if self.path.len() < self.depth {
            return;
        }
        let whole = self.path.as_slice();
        // Of an array of answers, each is one.
        let of_one = match whole {
            [Step::Array, rest @ ..] => rest,
            all => all,
        };
        for (kind, place) in &places.0 {
            if is_at(place, whole) || is_at(place, of_one) {
                let count = match kind {
                    Count::Input => &mut self.usage.input,
                    Count::Output => &mut self.usage.output,
                    Count::Cached => &mut self.usage.cached,
                    Count::Total => &mut self.usage.total,
                };
                *count = Some(value);
            }
        }
    }
}

fn is_at(place: &[String], path: &[Step]) -> bool {
    place.len() == path.len()
        && place.iter().zip(path).all(|(name, step)| match step {
            Step::Object(open) => open == name.as_bytes(),
            Step::Array => name == "*",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> UsagePlaces {
        let mut places = UsagePlaces::default();
        for text in [
            "input=usage/prompt_tokens,prompt_eval_count",
            "output=usage/completion_tokens,results/*/tokens",
            "cached=usage/details/cached_tokens",
            "total=usage/total_tokens",
        ] {
            places.add(text).unwrap();
        }
        places
    }

    fn counts(usage: Usage) -> [Option<u64>; 4] {
        [usage.input, usage.output, usage.cached, usage.total]
    }

    #[test]
    fn counts_are_found_at_their_places_wherever_the_text_is_cut() {
        for (text, expected) in [
            (
                r#"{"id":"x","choices":[{"usage":{"prompt_tokens":9}}],"usage":{"prompt_tokens":12,"completion_tokens":34 ,"details":{"cached_tokens":5},"total_tokens":46}}"#,
                [Some(12), Some(34), Some(5), Some(46)],
            ),
            // Texts that look like it, escapes, and what is no whole number.
            (
                r#"{"a":"{\"usage\":{\"prompt_tokens\":1}","usage":{"prompt\u005ftokens":2,"completion_tokens":-3,"total_tokens":4.0,"prompt_tokens":"5"}}"#,
                [None; 4],
            ),
            // Several one after another, of which the last says most, and an array of them.
            (
                "{\"usage\":{\"prompt_tokens\":1}}\n{\"usage\":null}\n{\"usage\":{\"completion_tokens\":2}}\n{\"usage\":{\"completion_tokens\":3}}",
                [Some(1), Some(3), None, None],
            ),
            (
                r#"[{"usage":{"prompt_tokens":1}},{"usage":{"total_tokens":7}}]"#,
                [Some(1), None, None, Some(7)],
            ),
            (
                r#"{"results":[{"tokens":1},{"tokens":2}],"prompt_eval_count":18446744073709551615}"#,
                [Some(u64::MAX), Some(2), None, None],
            ),
            (r#"{"prompt_eval_count":18446744073709551616}"#, [None; 4]),
            // Deeper than a place, and names longer than one.
            (
                r#"[[[[[[[[[[{"usage":{"prompt_tokens":1}}]]]]]]]]]],{"usage":{"prompt_tokens":3}}"#,
                [Some(3), None, None, None],
            ),
        ] {
            let places = places();
            for cut in 0..=text.len() {
                let (first, second) = text.as_bytes().split_at(cut);
                let mut reader = UsageReader::default();
                reader.push(&places, first);
                reader.push(&places, second);
                assert_eq!(counts(reader.usage()), expected, "{text} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_json_takes_no_room_and_ends_with_its_text() {
        let places = places();
        let mut reader = UsageReader::default();
        for piece in [
            "]]}}::",
            &"{\"a\":".repeat(1000),
            &"x\"y".repeat(1000),
            "\"\\",
        ] {
            reader.push(&places, piece.as_bytes());
            assert!(reader.path.len() <= MAX_DEPTH);
            assert!(reader.text.len() <= MAX_NAME_BYTES);
        }
        reader.begin();
        reader.push(&places, br#"{"usage":{"total_tokens":7}}"#);
        assert_eq!(reader.usage().total, Some(7));
    }
}
