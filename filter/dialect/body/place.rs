//! Where in a body something stands: a tree of members that a dialect's file names.

/// What stands at a place. A place may be several things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dialect) struct Roles(u32);

impl Roles {
    /// The model's name.
    pub(in crate::dialect) const MODEL: Self = Self(1);
    /// A number that multiplies what is asked for.
    pub(in crate::dialect) const TIMES: Self = Self(1 << 1);
    /// A list of inputs.
    pub(in crate::dialect) const LIST: Self = Self(1 << 2);
    /// An object of lists, each of which has one element for each input.
    pub(in crate::dialect) const COLUMNS: Self = Self(1 << 3);
    /// Running text.
    pub(in crate::dialect) const TEXT: Self = Self(1 << 4);
    /// Numbers that stand for text.
    pub(in crate::dialect) const TOKENS: Self = Self(1 << 5);
    /// A document.
    pub(in crate::dialect) const FILE: Self = Self(1 << 6);
    /// Sound, pictures.
    pub(in crate::dialect) const MEDIA: Self = Self(1 << 7);
    /// JSON-RPC's method.
    pub(in crate::dialect) const METHOD: Self = Self(1 << 8);
    /// The name of the tool that is called.
    pub(in crate::dialect) const TOOL: Self = Self(1 << 9);
    /// A tensor of KServe V2, and what is in it.
    pub(in crate::dialect) const TENSOR: Self = Self(1 << 10);
    pub(in crate::dialect) const SHAPE: Self = Self(1 << 11);
    pub(in crate::dialect) const DATA: Self = Self(1 << 12);
    pub(in crate::dialect) const DATATYPE: Self = Self(1 << 13);
    pub(in crate::dialect) const BINARY: Self = Self(1 << 14);
    /// The name of a tensor.
    pub(in crate::dialect) const TENSOR_NAME: Self = Self(1 << 19);
    /// The name of another model that takes part.
    pub(in crate::dialect) const OTHER: Self = Self(1 << 15);
    /// An address, or an id of what was stored, in place of a text.
    pub(in crate::dialect) const ELSEWHERE: Self = Self(1 << 16);
    /// As `ELSEWHERE`, unless the element of a list in which it stands is a picture by its `type`.
    pub(in crate::dialect) const LINK: Self = Self(1 << 17);
    /// As `ELSEWHERE`, unless the media type beside it is one of pictures, sound or video.
    pub(in crate::dialect) const TYPED_LINK: Self = Self(1 << 18);

    /// What stands somewhere else.
    const ANYWHERE_ELSE: u32 = Self::ELSEWHERE.0 | Self::LINK.0 | Self::TYPED_LINK.0;

    /// A document, which may stand there as it is.
    pub(in crate::dialect) const PLAIN_FILE: Self = Self(1 << 21);
    /// A list of inputs, unless it holds nothing but numbers.
    pub(in crate::dialect) const TEXT_LIST: Self = Self(1 << 20);

    /// Whether a number says something at such a place but what it stands for.
    pub(in crate::dialect) fn reads_numbers(self) -> bool {
        const NUMBERS: u32 = Roles::MODEL.0 | Roles::TIMES.0 | Roles::BINARY.0;
        self.0 & NUMBERS != 0 || self.is_elsewhere()
    }

    /// Whether what stands there is somewhere else.
    pub(in crate::dialect) fn is_elsewhere(self) -> bool {
        self.0 & Self::ANYWHERE_ELSE != 0
    }

    /// Whether a text at such a place says something besides what a model reads.
    pub(in crate::dialect) fn reads_text(self) -> bool {
        const NAMES: u32 = Roles::MODEL.0
            | Roles::TIMES.0
            | Roles::METHOD.0
            | Roles::TOOL.0
            | Roles::DATATYPE.0
            | Roles::OTHER.0
            | Roles::TENSOR_NAME.0;
        self.0 & NAMES != 0
    }

    /// Whether nothing stands at such a place but what a model reads.
    fn is_text(self) -> bool {
        const TEXTS: u32 = Roles::TEXT.0 | Roles::FILE.0 | Roles::PLAIN_FILE.0 | Roles::MEDIA.0;
        self.0 & !TEXTS == 0
    }

    pub(in crate::dialect) fn has(self, role: Self) -> bool {
        self.0 & role.0 != 0
    }

    fn add(&mut self, role: Self) {
        self.0 |= role.0;
    }
}

/// How a place is reached from the one above it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The member of this name.
    Member(String),
    /// Each element of an array.
    Each,
    /// Each member of an object.
    Every,
    /// A field of a protobuf message.
    Field(u64),
}

/// A place in a body.
#[derive(Clone, Debug)]
struct Place {
    step: Step,
    roles: Roles,
    /// Of running text: its place among what the model reads.
    rank: usize,
    children: Vec<usize>,
}

/// What a member's name comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Named {
    /// A place that is known by this name.
    Known(usize),
    /// A place where any name may stand.
    Any(usize),
    /// Another member.
    Other,
    /// A name that is known in another case: some servers would take it for that.
    OtherCase,
}

/// The places that a body's description names.
#[derive(Clone, Debug)]
pub(in crate::dialect) struct Places(Vec<Place>);

/// The body itself.
pub(in crate::dialect) const ROOT: usize = 0;

impl Default for Places {
    fn default() -> Self {
        Self(vec![Place {
            step: Step::Each,
            roles: Roles::default(),
            rank: 0,
            children: Vec::new(),
        }])
    }
}

impl Places {
    /// Adds a place: names with `/` between them, `*` for each element of a list, `{*}` for each
    /// member of an object, `.` for the body itself, and with `fields` numbers for protobuf's fields.
    pub(in crate::dialect) fn add(
        &mut self,
        path: &str,
        role: Roles,
        rank: usize,
        fields: bool,
    ) -> Option<()> {
        let mut at = ROOT;
        for name in path.split('/').filter(|_| path != ".") {
            let step = match name {
                "" => return None,
                "*" => Step::Each,
                "{*}" => Step::Every,
                number if fields => Step::Field(number.parse().ok()?),
                name => Step::Member(name.to_owned()),
            };
            at = self.child_or_new(at, step)?;
        }
        let place = self.0.get_mut(at)?;
        place.roles.add(role);
        if role == Roles::TEXT {
            place.rank = rank;
        }
        Some(())
    }

    /// Gives members that are named what is said of every member besides: once all places are there.
    pub(in crate::dialect) fn close(&mut self) {
        // Places that are made on the way stand behind their makers.
        let mut at = ROOT;
        while at < self.0.len() {
            let children: Vec<(usize, Step)> = self
                .children(at)
                .map(|(child, step)| (child, step.clone()))
                .collect();
            let every = children.iter().find(|(_, step)| *step == Step::Every);
            if let Some((every, _)) = every {
                let named = children
                    .iter()
                    .filter(|(_, step)| matches!(step, Step::Member(_)));
                for (child, _) in named {
                    self.copy(*every, *child, 0);
                }
            }
            at += 1;
        }
    }

    /// Adds what stands at a place, and below it, to another one.
    fn copy(&mut self, from: usize, to: usize, depth: usize) {
        const MAX_DEPTH: usize = 16;
        let Some(source) = self.0.get(from).cloned() else {
            return;
        };
        if let Some(place) = self.0.get_mut(to) {
            if !place.roles.has(Roles::TEXT) {
                place.rank = source.rank;
            }
            place.roles.add(source.roles);
        }
        for child in source.children {
            let step = self.0.get(child).map(|place| place.step.clone());
            let Some(step) = step.filter(|_| depth < MAX_DEPTH) else {
                continue;
            };
            if let Some(into) = self.child_or_new(to, step) {
                self.copy(child, into, depth + 1);
            }
        }
    }

    fn child_or_new(&mut self, at: usize, step: Step) -> Option<usize> {
        let children = &self.0.get(at)?.children;
        let same = |child: &&usize| self.0.get(**child).is_some_and(|place| place.step == step);
        if let Some(child) = children.iter().find(same) {
            return Some(*child);
        }
        let new = self.0.len();
        self.0.push(Place {
            step,
            roles: Roles::default(),
            rank: 0,
            children: Vec::new(),
        });
        self.0.get_mut(at)?.children.push(new);
        Some(new)
    }

    pub(in crate::dialect) fn roles(&self, at: Option<usize>) -> Roles {
        let place = at.and_then(|at| self.0.get(at));
        place.map_or(Roles::default(), |place| place.roles)
    }

    pub(in crate::dialect) fn rank(&self, at: Option<usize>) -> usize {
        let place = at.and_then(|at| self.0.get(at));
        place.map_or(0, |place| place.rank)
    }

    fn children(&self, at: usize) -> impl Iterator<Item = (usize, &Step)> {
        let place = self.0.get(at);
        let children = place.into_iter().flat_map(|place| place.children.iter());
        children.filter_map(|child| Some((*child, &self.0.get(*child)?.step)))
    }

    /// Whether some place has a role.
    pub(in crate::dialect) fn have(&self, role: Roles) -> bool {
        self.0.iter().any(|place| place.roles.has(role))
    }

    /// Whether nothing is known of what stands inside it.
    pub(in crate::dialect) fn is_leaf(&self, at: usize) -> bool {
        self.0.get(at).is_none_or(|place| place.children.is_empty())
    }

    /// The place of the elements of an array.
    pub(in crate::dialect) fn each(&self, at: usize) -> Option<usize> {
        let mut children = self.children(at);
        children.find_map(|(child, step)| (*step == Step::Each).then_some(child))
    }

    /// The place of a field of a message.
    pub(in crate::dialect) fn field(&self, at: usize, number: u64) -> Option<usize> {
        let mut children = self.children(at);
        children.find_map(|(child, step)| (*step == Step::Field(number)).then_some(child))
    }

    /// The place of a member.
    pub(in crate::dialect) fn member(&self, at: usize, name: &str) -> Named {
        let mut every = None;
        let mut other_case = None;
        for (child, step) in self.children(at) {
            match step {
                Step::Member(known) if known == name => return Named::Known(child),
                Step::Member(known) if folds_to(name, known) => other_case = Some(child),
                Step::Every => every = Some(child),
                Step::Member(_) | Step::Each | Step::Field(_) => {}
            }
        }
        match (other_case, every) {
            // Text is looked at by either name.
            (Some(child), _) if self.roles(Some(child)).is_text() => Named::Any(child),
            (Some(_), _) => Named::OtherCase,
            (None, Some(child)) => Named::Any(child),
            (None, None) => Named::Other,
        }
    }
}

/// Whether readers that fold case take a name for a known one. Go's encoding/json folds these two
/// letters besides ASCII's: the long s and the Kelvin sign.
pub(in crate::dialect) fn folds_to(name: &str, known: &str) -> bool {
    let fold = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.len() >= known.len() && name.chars().map(fold).eq(known.chars().map(fold))
}
