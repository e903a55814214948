//! Every way of spreading a text over the events of a stream.
//!
//! The ways that begin alike share what they begin with. And where nothing waits any more, what
//! comes does not depend on where the text was cut before: of the ways that lead there, one is
//! followed further, if [`Stream::state`] is the same in all of them.

use std::collections::HashMap;
use std::fmt;

/// What takes a text event by event. What is forked goes on by itself.
pub trait Stream: Clone {
    /// Takes an event that says this, and adds to `text` what the events say that leave then.
    ///
    /// # Errors
    /// Another thing than what they say has changed.
    fn say(&mut self, said: &str, text: &mut String) -> Result<(), String>;

    /// The stream ends here.
    ///
    /// # Errors
    /// As for [`Stream::say`].
    fn end(&mut self, text: &mut String) -> Result<(), String>;

    /// Whether an event may say this next.
    fn may_say(&self, _said: &str) -> bool {
        true
    }

    /// If nothing waits: all that what this does from now on depends on.
    fn state(&self) -> Option<String>;
}

/// How much was done to try every way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Texts.
    pub texts: u64,
    /// Ways of spreading them.
    pub ways: u64,
    /// Events given to the streams for them.
    pub events: u64,
    /// Events that were left out, with the ways that lead through them.
    pub left_out: u64,
}

impl Tried {
    /// Adds what was done for others.
    pub fn add(&mut self, other: Self) {
        self.texts = self.texts.saturating_add(other.texts);
        self.ways = self.ways.saturating_add(other.ways);
        self.events = self.events.saturating_add(other.events);
        self.left_out = self.left_out.saturating_add(other.left_out);
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            texts,
            ways,
            events,
            left_out,
        } = self;
        write!(
            f,
            "{texts} texts spread in {ways} ways, which took {events} events, without {left_out}"
        )
    }
}

/// In how many ways so many units can be put into at most so many events, none of them empty.
#[must_use]
pub fn ways(units: usize, events: usize) -> u64 {
    let between = units.saturating_sub(1) as u64;
    let mut sum: u64 = 1;
    let mut choose: u64 = 1;
    for cuts in 1..events as u64 {
        choose = choose.saturating_mul(between.saturating_sub(cuts - 1)) / cuts;
        sum = sum.saturating_add(choose);
    }
    sum
}

/// A text in units of so many characters, of which only the last may have fewer.
#[must_use]
pub fn units(text: &str, characters: usize) -> Vec<&str> {
    let mut units = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.char_indices().nth(characters.max(1));
        let (unit, after) = rest.split_at(at.map_or(rest.len(), |(at, _)| at));
        units.push(unit);
        rest = after;
    }
    units
}

/// A text in the smallest units of the same length with which there are at most so many ways.
#[must_use]
pub fn units_for(text: &str, events: usize, limit: u64) -> Vec<&str> {
    let mut characters = 1;
    loop {
        let units = units(text, characters);
        if units.len() <= 2 || ways(units.len(), events) <= limit {
            return units;
        }
        characters += 1;
    }
}

/// Tries every way of spreading a text over at most so many events; `expected` is what all of them
/// should say together in the end.
///
/// # Errors
/// A way with which they say something else.
pub fn every_spread<S: Stream>(
    stream: &S,
    text: &[&str],
    events: usize,
    expected: &str,
) -> Result<Tried, String> {
    let mut search = Search {
        units: text,
        expected,
        seen: HashMap::new(),
        said: Vec::new(),
        tried: Tried {
            texts: 1,
            ways: ways(text.len(), events),
            events: 0,
            left_out: 0,
        },
    };
    search.from(stream, 0, events, 0)?;
    Ok(search.tried)
}

/// So many ways are followed sooner than it is known whether they need not be.
const FEW: u64 = 64;

struct Search<'a> {
    units: &'a [&'a str],
    expected: &'a str,
    /// Of each place and state where nothing waits, for how many more events it was followed.
    seen: HashMap<(usize, usize, String), usize>,
    said: Vec<String>,
    tried: Tried,
}

impl Search<'_> {
    /// Tries every way of saying the units from `from` on in at most so many events.
    fn from<S: Stream>(
        &mut self,
        stream: &S,
        from: usize,
        events: usize,
        written: usize,
    ) -> Result<(), String> {
        let all = self.units.len();
        let first = if events > 1 { from + 1 } else { all };
        for to in first..=all {
            let said = self.units.get(from..to).unwrap_or_default().concat();
            if !stream.may_say(&said) {
                self.tried.left_out = self.tried.left_out.saturating_add(1);
                continue;
            }
            let mut stream = stream.clone();
            let mut text = String::new();
            self.tried.events = self.tried.events.saturating_add(1);
            let mut taken = stream.say(&said, &mut text);
            if to == all {
                taken = taken.and_then(|()| stream.end(&mut text));
            }
            self.said.push(said);
            let rest = self.expected.get(written..).unwrap_or_default();
            let fits = if to == all {
                rest == text
            } else {
                rest.starts_with(&text)
            };
            if taken.is_err() || !fits {
                return Err(format!(
                    "{:?}: {:?}, {:?} not {:?}",
                    self.said, taken, text, rest
                ));
            }
            let written = written.saturating_add(text.len());
            if to < all && self.is_new(&stream, to, events - 1, written) {
                self.from(&stream, to, events - 1, written)?;
            }
            self.said.pop();
        }
        Ok(())
    }

    fn is_new<S: Stream>(&mut self, stream: &S, at: usize, events: usize, written: usize) -> bool {
        if ways(self.units.len() - at, events) <= FEW {
            return true;
        }
        let Some(state) = stream.state() else {
            return true;
        };
        let followed = self.seen.entry((at, written, state)).or_insert(0);
        let new = *followed < events;
        *followed = events.max(*followed);
        new
    }
}
