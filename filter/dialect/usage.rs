//! Where an answer says how many tokens it took.

use base::json::{self, JsonEvent, JsonSink};
use base::usage::Usage;

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

    /// Reads the counts of one JSON text into what is known. The last value of each counts: streams
    /// repeat them as they grow.
    pub fn read(&self, answer: &[u8], usage: &mut Usage) {
        let mut sink = Sink {
            places: &self.0,
            open: Vec::new(),
            usage,
        };
        // What is no JSON says nothing more.
        let _ = json::read(answer, &mut sink);
    }
}

struct Sink<'s> {
    places: &'s [(Count, Vec<String>)],
    /// Containers that have not ended: the name of the member that comes, `None` in arrays.
    open: Vec<Option<String>>,
    usage: &'s mut Usage,
}

impl Sink<'_> {
    fn is_at(&self, place: &[String]) -> bool {
        place.len() == self.open.len()
            && place.iter().zip(&self.open).all(|(name, open)| match open {
                Some(open) => open == name,
                None => name == "*",
            })
    }
}

impl JsonSink for Sink<'_> {
    fn take(&mut self, event: JsonEvent<'_>) {
        match event {
            JsonEvent::Object => self.open.push(Some(String::new())),
            JsonEvent::Array => self.open.push(None),
            JsonEvent::End => {
                self.open.pop();
            }
            JsonEvent::Name(name) => {
                if let Some(Some(open)) = self.open.last_mut() {
                    open.clear();
                    open.push_str(name);
                }
            }
            JsonEvent::Number(Some(number)) => {
                for (kind, place) in self.places {
                    if self.is_at(place) {
                        let count = match kind {
                            Count::Input => &mut self.usage.input,
                            Count::Output => &mut self.usage.output,
                            Count::Cached => &mut self.usage.cached,
                            Count::Total => &mut self.usage.total,
                        };
                        *count = Some(number);
                    }
                }
            }
            _ => {}
        }
    }
}
