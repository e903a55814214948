//! Reads what a desk says stands, without a tree of it: there may be 20,000 items, and each change is a new list.

use core::cell::Cell;
use core::time::Duration;

use base::identity::token_digest;
use base::json::{self, JsonEvent, JsonSink};

use super::super::kept::{MAX_NAMES, beginning};
use super::lists::{Block, Grant, Lists, Of, Reset, Span};

/// Grants, blocks, and resets, in one answer.
const MAX_LISTED: usize = 10_000;

/// Whose requests one grant doesn't cover, and texts of the key of one reset.
const MAX_SEVERAL: usize = 64;

/// Bytes of one text of it.
const MAX_TEXT_BYTES: usize = 4096;

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) revision: Option<String>,
    /// Whether nothing has changed.
    pub(super) unchanged: bool,
    /// `None` where it isn't said; nothing in it where that is no number.
    pub(super) lease: Option<Option<u64>>,
    /// Whether there was a list of each.
    pub(super) grants: bool,
    pub(super) blocks: bool,
    pub(super) lists: Lists,
    /// The beginnings of the names under which answers are kept, if all of them are told.
    pub(super) answers: Option<Vec<u128>>,
}

/// Reads an answer. What it grants ends so much behind `sent`, and what it blocks behind `now`: a grant ends no
/// later, and a block no sooner, than the desk has it.
pub(super) fn read(body: &[u8], sent: Duration, now: Duration) -> Result<Said, &'static str> {
    let mut reader = Reader {
        sent,
        now,
        at: At::Before,
        name: Name::Unknown,
        skipped: 0,
        item: Item::default(),
        before: [None; TEXTS],
        listed: 0,
        wrong: None,
        said: Said::default(),
    };
    json::read(body, &mut reader).map_err(|_| "no JSON of this size")?;
    match reader.wrong {
        Some(wrong) => Err(wrong),
        None => Ok(reader.said),
    }
}

struct Reader {
    sent: Duration,
    now: Duration,
    at: At,
    /// The member whose value comes next.
    name: Name,
    /// How many objects and lists are open in a member that isn't known.
    skipped: u32,
    item: Item,
    /// The texts of the item before.
    before: [Option<Span>; TEXTS],
    /// How many items the list has.
    listed: usize,
    wrong: Option<&'static str>,
    said: Said,
}

/// Where the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Before,
    Top,
    List(Kind),
    Item(Kind),
    Several(Kind),
    Answers,
    Behind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grant,
    Block,
    Reset,
}

/// A member that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Unknown,
    Revision,
    Unchanged,
    Lease,
    List(Kind),
    Answers,
    Text(usize),
    Left,
    Models,
    /// The texts of which an item of this kind has several.
    Several(Kind),
}

/// Members of items that are texts, by their places.
const NAMES: [&str; TEXTS] = [
    "id",
    "issuer",
    "subject",
    "group",
    "token_id",
    "rule",
    "rule_digest",
    "operation",
    "model",
    "quota",
];
const TEXTS: usize = 10;
const ID: usize = 0;
const ISSUER: usize = 1;
const SUBJECT: usize = 2;
const GROUP: usize = 3;
const TOKEN: usize = 4;
const RULE: usize = 5;
const DIGEST: usize = 6;
const OPERATION: usize = 7;
const MODEL: usize = 8;
const QUOTA: usize = 9;

/// What is known of an item.
#[derive(Default)]
struct Item {
    texts: [Option<Span>; TEXTS],
    left: Option<u64>,
    any_model: bool,
    /// Where its exceptions begin, or its key.
    several: usize,
}

impl Item {
    fn text(&self, which: usize) -> Option<Span> {
        self.texts.get(which).copied().flatten()
    }
}

impl JsonSink for Reader {
    fn take(&mut self, event: JsonEvent<'_>) {
        if self.wrong.is_some() {
            return;
        }
        if self.skipped > 0 {
            match event {
                JsonEvent::Object | JsonEvent::Array => self.skipped += 1,
                JsonEvent::End => self.skipped -= 1,
                _ => {}
            }
            return;
        }
        if let Err(wrong) = self.step(event) {
            self.wrong = Some(wrong);
        }
    }

    fn wants_text(&self) -> bool {
        let known = self.name != Name::Unknown || matches!(self.at, At::Several(_) | At::Answers);
        known && self.skipped == 0 && self.wrong.is_none()
    }
}

impl Reader {
    fn step(&mut self, event: JsonEvent<'_>) -> Result<(), &'static str> {
        match (self.at, event) {
            (At::Before, JsonEvent::Object) => self.at = At::Top,
            (At::Before, _) => return Err("no object"),
            (At::Top, JsonEvent::Name(name)) => {
                self.name = match name {
                    "revision" => Name::Revision,
                    "unchanged" => Name::Unchanged,
                    "lease_ms" => Name::Lease,
                    "grants" => Name::List(Kind::Grant),
                    "blocks" => Name::List(Kind::Block),
                    "resets" => Name::List(Kind::Reset),
                    "answers" => Name::Answers,
                    _ => Name::Unknown,
                }
            }
            (At::Top, JsonEvent::End) => self.at = At::Behind,
            (At::Top, event) => return self.of_answer(event),
            (At::List(kind), JsonEvent::Object) => {
                self.listed += 1;
                if self.listed > MAX_LISTED {
                    return Err("more than 10,000 grants, blocks or resets");
                }
                self.item = Item {
                    several: self.said.lists.several.len(),
                    ..Item::default()
                };
                self.at = At::Item(kind);
            }
            (At::List(_), JsonEvent::End) => self.at = At::Top,
            (At::List(_), _) => return Err("a grant, block or reset that is no object"),
            (At::Item(_), JsonEvent::Name(name)) => self.name = member(name),
            (At::Item(kind), JsonEvent::End) => {
                self.before = self.item.texts;
                match kind {
                    Kind::Grant => self.grant()?,
                    Kind::Block => self.block()?,
                    Kind::Reset => self.reset()?,
                }
                self.at = At::List(kind);
            }
            (At::Item(_), event) => return self.of_item(event),
            (At::Several(_), JsonEvent::Text(text)) => {
                let several = self.said.lists.several.len() - self.item.several;
                if several >= MAX_SEVERAL || text.len() > MAX_TEXT_BYTES {
                    return Err(
                        "more exceptions or texts of a key than are taken, or a very long one",
                    );
                }
                let lists = &mut self.said.lists;
                let text = lists.texts.keep(text, None);
                lists.several.push(text);
            }
            (At::Several(kind), JsonEvent::End) => self.at = At::Item(kind),
            (At::Several(_), _) => return Err("an exception, or a part of a key, that is no text"),
            (At::Answers, JsonEvent::Text(text)) => {
                let name = beginning(text);
                let all = self.said.answers.as_mut();
                match all.filter(|all| all.len() < MAX_NAMES).zip(name) {
                    Some((all, name)) => all.push(name),
                    // What is more, or not what is expected, tells nothing.
                    None => self.said.answers = None,
                }
            }
            (At::Answers, JsonEvent::End) => self.at = At::Top,
            (At::Answers, event) => {
                self.said.answers = None;
                self.skip(event);
            }
            (At::Behind, _) => {}
        }
        Ok(())
    }

    /// A member of the answer.
    fn of_answer(&mut self, event: JsonEvent<'_>) -> Result<(), &'static str> {
        let said = &mut self.said;
        match (self.name, event) {
            (Name::Revision, JsonEvent::Text(text)) if text.len() <= MAX_TEXT_BYTES => {
                said.revision = Some(text.to_owned());
            }
            (Name::Unchanged, JsonEvent::Word(value)) => said.unchanged = value,
            (Name::Lease, JsonEvent::Number(lease)) => said.lease = Some(lease),
            (Name::List(kind), JsonEvent::Array) => {
                match kind {
                    Kind::Grant => said.grants = true,
                    Kind::Block => said.blocks = true,
                    Kind::Reset => {}
                }
                self.listed = 0;
                self.at = At::List(kind);
            }
            (Name::Answers, JsonEvent::Array) => {
                said.answers = Some(Vec::new());
                self.at = At::Answers;
            }
            (Name::Lease, _) => return Err("no lease_ms"),
            // What is missing then is told behind the answer.
            (_, event) => self.skip(event),
        }
        Ok(())
    }

    /// A member of a grant or a block.
    fn of_item(&mut self, event: JsonEvent<'_>) -> Result<(), &'static str> {
        match (self.name, event) {
            (Name::Unknown, event) => self.skip(event),
            (_, JsonEvent::Null) => {}
            (Name::Text(which), JsonEvent::Text(text)) => {
                if text.is_empty() || text.len() > MAX_TEXT_BYTES {
                    return Err(TEXT);
                }
                let before = self.before.get(which).copied().flatten();
                let span = self.said.lists.texts.keep(text, before);
                if let Some(to) = self.item.texts.get_mut(which) {
                    *to = Some(span);
                }
            }
            (Name::Left, JsonEvent::Number(Some(left))) => self.item.left = Some(left),
            (Name::Left, _) => return Err("a left_ms that is no number"),
            // A word that isn't known makes a grant no wider.
            (Name::Models, JsonEvent::Text(text)) => self.item.any_model = text == "any",
            (Name::Several(kind), JsonEvent::Array) if self.at == At::Item(kind) => {
                self.at = At::Several(kind);
            }
            _ => return Err(TEXT),
        }
        Ok(())
    }

    /// Passes over a value.
    fn skip(&mut self, event: JsonEvent<'_>) {
        if matches!(event, JsonEvent::Object | JsonEvent::Array) {
            self.skipped = 1;
        }
    }

    fn id(&self) -> Result<Span, &'static str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let id = self.item.text(ID).filter(|id| {
            let id = self.said.lists.texts.get(*id);
            id.len() <= 64 && id.bytes().all(plain)
        });
        id.ok_or("an id that isn't letters, digits, \"_\" and \"-\"")
    }

    fn grant(&mut self) -> Result<(), &'static str> {
        let (id, item) = (self.id()?, &self.item);
        let (subject, holder) = match (item.text(SUBJECT), item.text(GROUP)) {
            (Some(subject), None) => (true, subject),
            (None, Some(group)) => (false, group),
            _ => return Err("a grant that isn't for one subject or one group"),
        };
        let model = match (item.text(MODEL), item.any_model) {
            (None, false) => Of::Unnamed,
            (Some(model), false) => Of::One(model),
            (None, true) => Of::Any,
            (Some(_), true) => return Err("a grant for one model and for any"),
        };
        let left = item.left.ok_or("a grant without left_ms")?;
        let grant = Grant {
            id,
            issuer: item.text(ISSUER).ok_or("a grant without an issuer")?,
            subject,
            holder,
            rule: item.text(RULE).ok_or("a grant without a rule")?,
            digest: item.text(DIGEST).ok_or("a grant without a rule_digest")?,
            operation: item.text(OPERATION),
            model,
            except: (item.several, self.said.lists.several.len()),
            until: self.sent.saturating_add(Duration::from_millis(left)),
        };
        self.said.lists.grants.push(grant);
        Ok(())
    }

    /// A count is emptied no later than the desk has the reset, and that is remembered no shorter.
    fn reset(&mut self) -> Result<(), &'static str> {
        let (id, item) = (self.id()?, &self.item);
        let left = item.left.ok_or("a reset without left_ms")?;
        let reset = Reset {
            id,
            quota: item.text(QUOTA).ok_or("a reset without a quota")?,
            key: (item.several, self.said.lists.several.len()),
            until: self.sent.saturating_add(Duration::from_millis(left)),
            others_until: self.now.saturating_add(Duration::from_millis(left)),
            done: Cell::new(false),
        };
        self.said.lists.resets.push(reset);
        Ok(())
    }

    /// A token's id is taken as it stands in tokens, and as records show it.
    fn block(&mut self) -> Result<(), &'static str> {
        let (id, item) = (self.id()?, &self.item);
        let until = item.left.map_or(Duration::MAX, |left| {
            self.now.saturating_add(Duration::from_millis(left))
        });
        let (subject, token) = (item.text(SUBJECT), item.text(TOKEN));
        if subject.is_none() && token.is_none() {
            return Err("a block without a subject or a token_id");
        }
        let issuer = item.text(ISSUER);
        let lists = &mut self.said.lists;
        let shown = token.map(|token| token_digest(lists.texts.get(token)));
        let shown = shown.map(|shown| lists.texts.keep(&shown, None));
        for (subject, name) in [(true, subject), (false, token), (false, shown)] {
            let Some(name) = name else { continue };
            lists.blocks.push(Block {
                id,
                issuer,
                subject,
                name,
                until,
            });
        }
        Ok(())
    }
}

/// A member of an item.
fn member(name: &str) -> Name {
    match name {
        "left_ms" => Name::Left,
        "models" => Name::Models,
        "except" => Name::Several(Kind::Grant),
        "key" => Name::Several(Kind::Reset),
        _ => {
            let which = NAMES.iter().position(|one| *one == name);
            which.map_or(Name::Unknown, Name::Text)
        }
    }
}

const TEXT: &str = "a member that is no text, or an empty or a very long one";
