//! Whatever a body is, what is told of it is what a server reads there.

use std::collections::{BTreeSet, HashSet};

use base::operation::{Model, OPERATIONS};
use portcullis::dialect::{BodyHead, Facts, FactsError};

use super::catalog::{self, Case, Kind, Place, Role, Step};
use super::fields;
use super::samples::{self, BOUNDARY};
use super::tree::Tree;

/// The bytes in front of the body: two for which body it is, one for its head, one for how many
/// bytes there are behind its JSON.
pub const HEAD: usize = 4;

/// What heads say.
pub const HEADS: [Option<&str>; 8] = [
    Some("application/json"),
    None,
    Some("multipart/form-data"),
    Some("application/x-www-form-urlencoded"),
    Some("text/plain"),
    Some("multipart/mixed"),
    Some("application/octet-stream"),
    Some("image/png"),
];

/// How many bytes are shown for one that came, at most. A text is shown as it is, at eight levels of
/// escapes and in five of nesting, and running text three times more.
const MAX_SHOWN: usize = 64;

/// Checks the body behind the first bytes.
///
/// # Panics
/// When something does not hold.
pub fn check(data: &[u8]) {
    let Some(([high, low, head, behind], body)) = data.split_first_chunk::<HEAD>() else {
        return;
    };
    let cases = &catalog::all().bodies;
    let case = &cases[usize::from(u16::from_be_bytes([*high, *low])) % cases.len()];
    let head = BodyHead {
        media: HEADS[usize::from(*head) % HEADS.len()].map(str::to_owned),
        boundary: Some(BOUNDARY.to_owned()),
        json_bytes: match behind {
            0 => None,
            more => Some(body.len().saturating_sub(usize::from(*more) - 1)),
        },
    };
    check_case(case, &head, body);
}

/// What was taken, and what was shown.
pub struct Looked {
    pub facts: Result<Facts, FactsError>,
    pub shown: HashSet<Vec<u8>>,
}

/// Takes the facts with and without somebody who looks at the texts: they are the same.
pub fn look(
    name: &str,
    length: usize,
    mut take: impl FnMut(Option<&mut dyn FnMut(&[u8])>) -> Result<Facts, FactsError>,
) -> Looked {
    let mut shown = HashSet::new();
    let mut bytes = 0;
    let facts = take(Some(&mut |text: &[u8]| {
        bytes += text.len();
        shown.insert(text.to_vec());
    }));
    assert!(
        bytes <= length * MAX_SHOWN,
        "{name}: {bytes} bytes are shown of {length}"
    );
    let blind = take(None);
    match (&facts, &blind) {
        (Ok(one), Ok(other)) => {
            let other = Facts {
                unread: one.unread,
                ..other.clone()
            };
            assert_eq!(*one, other, "{name}: it matters whether somebody looks");
        }
        (one, other) => assert_eq!(one, other, "{name}: it matters whether somebody looks"),
    }
    if let Ok(facts) = &facts {
        is_sound(name, facts);
    }
    Looked { facts, shown }
}

fn is_sound(name: &str, facts: &Facts) {
    assert_ne!(facts.items, Some(0), "{name}: nothing is asked for");
    if let Some(operation) = facts.operation {
        assert!(OPERATIONS.contains(&operation), "{name}: {operation}");
    }
    if let Model::Named(model) = &facts.model {
        assert!(
            !model.is_empty() && model.len() <= 4096,
            "{name}: {model:?}"
        );
        assert_eq!(model.trim(), model, "{name}");
        assert!(!model.contains(char::is_control), "{name}: {model:?}");
    }
}

/// Checks one body.
pub fn check_case(case: &Case, head: &BodyHead, body: &[u8]) {
    let looked = look(&case.name, body.len(), |see| {
        case.body.take(head, body, see)
    });
    let Ok(facts) = &looked.facts else {
        return;
    };
    let mut expected = Expected::default();
    match form(case, head, body) {
        Form::Empty | Form::Document => {}
        Form::Json(text) => {
            let tree: Tree = serde_json::from_slice(text)
                .unwrap_or_else(|error| panic!("{}: it is no JSON: {error}", case.name));
            expected.read(case, &tree);
            expected.end(case, &looked.shown);
            if head.media.as_deref() == Some("application/x-www-form-urlencoded") {
                fields::is_no_form(case, text);
            }
        }
        Form::Urlencoded => fields::urlencoded(case, body, &mut expected),
        Form::Multipart => fields::multipart(case, body, &mut expected),
    }
    expected.compare(case, facts);
}

enum Form<'b> {
    Empty,
    Json(&'b [u8]),
    Multipart,
    Urlencoded,
    Document,
}

/// How a server reads the body, by what the filter says that it is.
fn form<'b>(case: &Case, head: &BodyHead, body: &'b [u8]) -> Form<'b> {
    let media = head.media.as_deref().unwrap_or_default();
    let is_json = || serde_json::from_slice::<Tree>(body).is_ok();
    match case.kind {
        _ if body.is_empty() => Form::Empty,
        Kind::Tensors => Form::Json(&body[..head.json_bytes.unwrap_or(body.len())]),
        Kind::Json | Kind::Rpc => Form::Json(body),
        Kind::Multipart => Form::Multipart,
        Kind::Any if media.starts_with("multipart/") => Form::Multipart,
        Kind::Any if media == "application/json" => Form::Json(body),
        // An object is one whatever it is called; a word or a number is a text as well.
        Kind::Any if is_json() && body.iter().any(|byte| b"{[\"".contains(byte)) => {
            Form::Json(body)
        }
        Kind::Any if media == "application/x-www-form-urlencoded" => Form::Urlencoded,
        Kind::Any => {
            no_json_in_another_encoding(case, body);
            Form::Document
        }
        Kind::Grpc | Kind::Infer | Kind::Predict => unreachable!("it is among the messages"),
    }
}

/// Python's json.loads guesses the encoding of bytes, and skips a byte order mark.
fn no_json_in_another_encoding(case: &Case, body: &[u8]) {
    let text = match body {
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        [0xfe, 0xff, text @ ..] => utf_16(text, u16::from_be_bytes),
        [0xff, 0xfe, text @ ..] => utf_16(text, u16::from_le_bytes),
        [0, low, ..] if *low != 0 => utf_16(body, u16::from_be_bytes),
        [_, 0, ..] => utf_16(body, u16::from_le_bytes),
        _ => return,
    };
    let tree = serde_json::from_str::<Tree>(&text);
    assert!(
        !matches!(tree, Ok(Tree::Members(_))),
        "{}: it is JSON to others",
        case.name
    );
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|two| unit([two[0], two[1]]));
    let units: Vec<u16> = units.collect();
    String::from_utf16_lossy(&units)
}

/// What must be told of a body.
#[derive(Default)]
pub struct Expected {
    pub models: BTreeSet<String>,
    /// More models.
    pub others: BTreeSet<String>,
    pub times: u64,
    /// How many inputs there are.
    pub lists: u64,
    tool: Option<String>,
    /// How many inputs tensors have at least.
    tensors: u64,
    /// What must be shown.
    texts: Vec<String>,
    /// Running text, by its rank.
    running: Vec<(usize, String)>,
}

/// Patterns that fit so far, and how many of their steps have been taken.
type Active<'c> = Vec<(&'c Place, usize)>;

fn has(active: &Active<'_>, role: Role) -> bool {
    let mut here = active.iter();
    here.any(|(place, taken)| place.role == role && *taken == place.steps.len())
}

fn follow<'c>(active: &Active<'c>, fits: impl Fn(&Step) -> bool) -> Active<'c> {
    let next = active.iter().filter(|(place, taken)| {
        let step = place.steps.get(*taken);
        step.is_some_and(&fits)
    });
    next.map(|(place, taken)| (*place, taken + 1)).collect()
}

impl Expected {
    fn read(&mut self, case: &Case, tree: &Tree) {
        let root: Active<'_> = case.places.iter().map(|place| (place, 0)).collect();
        match tree {
            Tree::List(calls) if case.kind == Kind::Rpc => {
                self.lists = calls.len() as u64;
                for call in calls {
                    self.value(case, call, &root, true, false);
                }
            }
            Tree::Word | Tree::Number(_) => {
                assert_eq!(case.kind, Kind::Any, "{} is no object", case.name);
            }
            _ => self.value(case, tree, &root, true, false),
        }
    }

    /// A value at a place; `known` is whether a server reads what is there, and `columns` whether it
    /// is in an object of lists.
    fn value(&mut self, case: &Case, tree: &Tree, at: &Active<'_>, known: bool, columns: bool) {
        let name = &case.name;
        let one = [Role::Model, Role::Times, Role::Method]
            .iter()
            .any(|role| has(at, *role));
        let goes_on = at.iter().any(|(place, taken)| *taken < place.steps.len());
        match tree {
            Tree::Word => {}
            Tree::Number(number) => {
                assert!(!has(at, Role::Model), "{name}: the model is a number");
                if has(at, Role::Times) {
                    let number = number.unwrap_or_else(|| panic!("{name}: no whole number"));
                    self.times = self.times.max(number);
                }
            }
            Tree::Text(text) => self.text(case, text, at),
            Tree::List(items) => {
                assert!(!one || goes_on, "{name}: a list in place of a value");
                let each = follow(at, |step| *step == Step::Each);
                let tokens = has(at, Role::Tokens)
                    && items.iter().all(|item| matches!(item, Tree::Number(_)));
                let counts = has(at, Role::Lists) || has(at, Role::Columns) || columns;
                if counts && !tokens {
                    self.lists = self.lists.max(items.len() as u64);
                }
                let numbers = items.iter().all(|item| matches!(item, Tree::Number(_)));
                if has(at, Role::TextLists) && !has(at, Role::Media) && !numbers {
                    self.lists = self.lists.max(items.len() as u64);
                }
                for item in items {
                    self.value(case, item, &each, !each.is_empty(), false);
                }
            }
            Tree::Members(members) => {
                assert!(!one || goes_on, "{name}: an object in place of a value");
                if has(at, Role::Tensor) {
                    self.tensor(name, members);
                }
                let names: HashSet<&String> = members.iter().map(|(name, _)| name).collect();
                assert_eq!(names.len(), members.len(), "{name}: a name is repeated");
                let columns = has(at, Role::Columns);
                for (member, value) in members {
                    no_other_case(name, member, at);
                    let exact = is_known(member, at);
                    let next = follow(at, |step| match step {
                        Step::Member(known) if exact => known == member,
                        Step::Member(known) => fold(known) == fold(member),
                        Step::Every => true,
                        Step::Each => false,
                    });
                    if !known {
                        self.texts.push(member.clone());
                    }
                    self.value(case, value, &next, !next.is_empty(), columns);
                }
            }
        }
    }

    fn text(&mut self, case: &Case, text: &str, at: &Active<'_>) {
        let name = &case.name;
        assert!(!has(at, Role::Times), "{name}: a text in place of a number");
        if has(at, Role::Model) && !text.is_empty() {
            self.models.insert(text.to_owned());
        }
        if has(at, Role::Others) && !text.is_empty() {
            self.others.insert(text.to_owned());
        }
        if has(at, Role::Tool) {
            self.tool = Some(text.to_owned());
        }
        if has(at, Role::Text) && !text.is_empty() {
            // Of two that fit, the one that says more says where it is read.
            let said = |place: &Place| {
                let named = |step: &&Step| matches!(step, Step::Member(_));
                place.steps.iter().filter(named).count()
            };
            let here = at
                .iter()
                .filter(|(place, taken)| place.role == Role::Text && *taken == place.steps.len());
            let best = here.max_by_key(|(place, _)| said(place));
            self.running
                .push((best.map_or(0, |(place, _)| place.rank), text.to_owned()));
        }
        // A picture's base64 is no text.
        let only_media = has(at, Role::Media) && !has(at, Role::Files);
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(&byte);
        if !(only_media && text.len() >= 24 && text.bytes().all(base64)) {
            self.texts.push(text.to_owned());
        }
    }

    fn tensor(&mut self, name: &str, members: &[(String, Tree)]) {
        let member = |name: &str| members.iter().find(|(member, _)| member == name);
        if let Some((_, Tree::List(shape))) = member("shape") {
            for (at, size) in shape.iter().enumerate() {
                match size {
                    Tree::Number(Some(size)) if at == 0 => self.tensors = self.tensors.max(*size),
                    Tree::Number(Some(_)) | Tree::Word | Tree::List(_) | Tree::Members(_) => {}
                    Tree::Number(None) | Tree::Text(_) => panic!("{name}: {size:?} is no size"),
                }
            }
        }
        if let Some((_, data @ Tree::List(_))) = member("data") {
            self.tensors = self.tensors.max(texts_in(data));
        }
    }

    /// What is only known once all of it has been read.
    fn end(&mut self, case: &Case, shown: &HashSet<Vec<u8>>) {
        for text in &self.texts {
            assert!(
                shown.contains(text.as_bytes()),
                "{}: {text:?} is not shown",
                case.name
            );
        }
        if self.running.len() < 2 {
            return;
        }
        self.running.sort_by_key(|(rank, _)| *rank);
        for between in ["", " ", "\n"] {
            let pieces = self.running.iter();
            let joined: String = pieces.map(|(_, text)| format!("{text}{between}")).collect();
            assert!(
                shown.contains(joined.as_bytes()),
                "{}: {joined:?} is not shown",
                case.name
            );
        }
    }

    /// Compares it with what was told.
    pub fn compare(&self, case: &Case, facts: &Facts) {
        let name = &case.name;
        let mut models = self.models.iter();
        let model = match (case.has_model, models.next()) {
            (false, _) => Model::Nothing,
            (true, None) => Model::Unnamed,
            (true, Some(model)) => Model::Named(model.clone()),
        };
        assert_eq!(facts.model, model, "{name}");
        assert!(models.next().is_none(), "{name}: {:?}", self.models);
        // A gateway takes names with commas between them for several.
        let list = self.models.iter().flat_map(|name| name.split(','));
        let list = list.filter(|_| self.models.iter().any(|name| name.contains(',')));
        let parts = list.map(|name| name.trim().to_owned());
        let parts = parts.filter(|name| !name.is_empty());
        // What is no name is none that is asked for.
        let is_name = |name: &str| name.len() <= 4096 && portcullis::dialect::has_sound_ends(name);
        let named = |name: String| {
            if is_name(&name) {
                name
            } else {
                "\u{fffd}".to_owned()
            }
        };
        let expected = self.others.iter().cloned().chain(parts).map(named);
        let expected: BTreeSet<String> = expected.collect();
        let others: BTreeSet<String> = facts.others.iter().cloned().collect();
        assert_eq!(others, expected, "{name}");
        assert_eq!(facts.tool, self.tool, "{name}");
        let items = self.lists.max(1).saturating_mul(self.times.max(1));
        match facts.items {
            None => assert!(!case.counted, "{name}: it is not counted"),
            Some(told) if case.kind == Kind::Tensors => {
                assert!(told >= items.max(self.tensors), "{name}: {told} are told");
            }
            Some(told) => assert_eq!(told, items, "{name}"),
        }
    }
}

fn texts_in(tree: &Tree) -> u64 {
    match tree {
        Tree::Text(_) => 1,
        Tree::List(items) => items.iter().map(texts_in).sum(),
        Tree::Word | Tree::Number(_) | Tree::Members(_) => 0,
    }
}

/// As readers that fold case have it.
fn fold(text: &str) -> String {
    let plain = text.replace('\u{17f}', "s").replace('\u{212a}', "k");
    plain.to_ascii_lowercase()
}

/// Whether a name is known as it is written.
fn is_known(member: &str, at: &Active<'_>) -> bool {
    let step = |(place, taken): &(&Place, usize)| {
        place.steps.get(*taken) == Some(&Step::Member(member.to_owned()))
    };
    at.iter().any(step)
}

/// Readers that fold case would take such a name for a known one: where something else than text stands
/// there, it is refused.
fn no_other_case(name: &str, member: &str, at: &Active<'_>) {
    let texts = [Role::Text, Role::Files, Role::Media];
    let alike = at
        .iter()
        .any(|(place, taken)| match place.steps.get(*taken) {
            Some(Step::Member(known)) => {
                fold(known) == fold(member)
                    && taken + 1 == place.steps.len()
                    && !texts.contains(&place.role)
            }
            _ => false,
        });
    assert!(
        is_known(member, at) || !alike,
        "{name}: {member:?} is known in another case"
    );
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let cases = &catalog::all().bodies;
    let mut seeds = Vec::new();
    for sample in samples::all() {
        if let Some(case) = sample.case(cases) {
            let head = if sample.is_form { 2 } else { 0 };
            seeds.push(seed(case, head, 0, &sample.bytes));
        }
    }
    let at = |name: &str| cases.iter().position(|case| case.name == name);
    let tensor = br#"{"inputs":[{"name":"a","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}}]}"#;
    if let Some(case) = cases.iter().position(|case| case.kind == Kind::Tensors) {
        let body = [tensor.as_slice(), b"\x02\0\0\0hi"].concat();
        seeds.push(seed(case, 6, 7, &body));
    }
    if let Some(case) = at("openai unknown") {
        seeds.push(seed(case, 3, 0, b"model=m&prompt=Hi%21&n=2"));
        seeds.push(seed(case, 4, 0, b"\xef\xbb\xbf{\"model\":\"m\"}"));
        seeds.push(seed(case, 4, 0, b"\0{\0\"\0a\0\"\0:\x001\0}"));
    }
    seeds
}

/// An input.
pub fn seed(case: usize, head: u8, behind: u8, body: &[u8]) -> Vec<u8> {
    let case = u16::try_from(case).expect("there are not that many bodies");
    let [high, low] = case.to_be_bytes();
    [&[high, low, head, behind], body].concat()
}
