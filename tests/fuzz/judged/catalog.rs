//! The bodies that dialects describe, read from their files a second time and in the plainest way: as
//! lists of patterns, where the filter has a tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use portcullis::dialect::{Body, DIALECTS, Routes};
use portcullis::operation::{Operation, name, normalize};

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Model,
    Times,
    Lists,
    /// A list of inputs, unless it holds nothing but numbers.
    TextLists,
    /// More models.
    Others,
    /// The address of a text.
    Elsewhere,
    Columns,
    Text,
    Tokens,
    Files,
    Media,
    Method,
    Tool,
    Shape,
    Data,
    Datatype,
    Tensor,
    /// The number of bytes that stand behind the JSON.
    Binary,
}

/// How a place is reached from the one above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Member(String),
    Each,
    Every,
}

/// One pattern of a body's description.
#[derive(Clone, Debug)]
pub struct Place {
    pub role: Role,
    pub steps: Vec<Step>,
    /// Of running text: how many members with such text are read before it.
    pub rank: usize,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Json,
    Multipart,
    Any,
    Rpc,
    Tensors,
    /// A message whose places are fields.
    Grpc,
    /// KServe V2's `ModelInferRequest`.
    Infer,
    /// TensorFlow Serving's `PredictRequest`.
    Predict,
}

/// A body, and the path of a request that has it.
pub struct Case {
    pub name: String,
    pub path: String,
    pub body: Body,
    pub kind: Kind,
    pub places: Vec<Place>,
    /// Whether a model is concerned.
    pub has_model: bool,
    /// Whether the number of predictions can be told.
    pub counted: bool,
}

impl Case {
    fn is_grpc(&self) -> bool {
        matches!(self.kind, Kind::Grpc | Kind::Infer | Kind::Predict)
    }
}

/// All bodies but gRPC's, and gRPC's.
pub struct Catalog {
    pub bodies: Vec<Case>,
    pub messages: Vec<Case>,
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut all: Vec<Case> = Vec::new();
    for dialect in DIALECTS {
        let file = folder().join(dialect.name).join("routes.txt");
        all.extend(cases(dialect.name, &read(&file)));
    }
    all.extend(cases("openai", &read(&folder().join("unknown.txt"))));
    let (messages, bodies) = all.into_iter().partition(Case::is_grpc);
    Catalog { bodies, messages }
});

/// What all dialects describe.
pub fn all() -> &'static Catalog {
    &CATALOG
}

/// The folder of the dialects, wherever this was built from.
pub fn folder() -> PathBuf {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut found = folders.find_map(|folder| {
        let folder = folder.join("filter/dialect");
        folder.is_dir().then_some(folder)
    });
    found.take().expect("the folder of the dialects")
}

pub fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What the filter makes of a method and a path.
pub fn asked(method: &str, path: &str) -> Option<Operation> {
    let path = normalize(path.as_bytes()).ok()?;
    name(&Routes::default(), method, &path).ok()
}

fn cases(dialect: &str, text: &str) -> Vec<Case> {
    let lines: Vec<(bool, Vec<&str>)> = text
        .lines()
        .map(|line| {
            let inside = line.starts_with([' ', '\t']);
            (inside, line.split_whitespace().collect())
        })
        .filter(|(_, words): &(bool, Vec<&str>)| {
            words.first().is_some_and(|word| !word.starts_with('#'))
        })
        .collect();
    let mut cases = Vec::new();
    for (at, (_, words)) in lines.iter().enumerate() {
        let ["body", name, kind] = words.as_slice() else {
            continue;
        };
        let inside = lines[at + 1..].iter().take_while(|(inside, _)| *inside);
        let inside: Vec<&[&str]> = inside.map(|(_, words)| words.as_slice()).collect();
        cases.push(case(dialect, &lines, (name, kind), &inside));
    }
    let in_code = [
        ("infer", Kind::Infer),
        ("stream_infer", Kind::Infer),
        ("predict", Kind::Predict),
    ];
    for (name, kind) in in_code {
        let routes = lines.iter().any(|(inside, words)| {
            !inside && words.len() == 4 && words[3] == name && words[0] != "body"
        });
        if routes
            && !cases
                .iter()
                .any(|case| case.name.ends_with(&format!(" {name}")))
        {
            let mut case = case(dialect, &lines, (name, "grpc"), &[]);
            case.kind = kind;
            cases.push(case);
        }
    }
    cases
}

fn case(
    dialect: &str,
    lines: &[(bool, Vec<&str>)],
    (name, kind): (&str, &str),
    inside: &[&[&str]],
) -> Case {
    let mut routes = lines.iter().filter_map(|(inside, words)| {
        let [method, path, operation, body] = words.as_slice() else {
            return None;
        };
        (!inside && *body == name).then_some((*method, *path, *operation))
    });
    let found = routes.find_map(|(method, path, operation)| {
        let method = if method == "*" { "POST" } else { method };
        let path = ["{model...}", "{model}", "{...}", "{}"]
            .iter()
            .fold(path.to_owned(), |path, part| path.replace(part, "x"));
        let asked = asked(method, &path)?;
        // Another dialect's route may say more of this path.
        let same = asked.name == operation && asked.dialect.name == dialect;
        (same && !asked.body.says_nothing()).then_some((path, asked.body))
    });
    let (path, body) =
        found.unwrap_or_else(|| panic!("no route of {dialect} leads to the body {name}"));
    let mut case = Case {
        name: format!("{dialect} {name}"),
        path,
        body,
        kind: match kind {
            "json" => Kind::Json,
            "multipart" => Kind::Multipart,
            "any" => Kind::Any,
            "rpc" => Kind::Rpc,
            "tensors" => Kind::Tensors,
            "grpc" | "grpc-stream" => Kind::Grpc,
            other => panic!("the kind {other}"),
        },
        places: Vec::new(),
        has_model: true,
        counted: true,
    };
    let fixed: &[(Role, &str)] = match case.kind {
        Kind::Rpc => &[(Role::Method, "method"), (Role::Tool, "params/name")],
        Kind::Tensors => &[
            (Role::Model, "model"),
            (Role::Model, "model_name"),
            (Role::Tensor, "inputs/*"),
            (Role::Shape, "inputs/*/shape"),
            (Role::Data, "inputs/*/data"),
            (Role::Datatype, "inputs/*/datatype"),
            (Role::Binary, "inputs/*/parameters/binary_data_size"),
        ],
        _ => &[],
    };
    for (role, place) in fixed {
        case.places.push(Place {
            role: *role,
            steps: steps(place),
            rank: 0,
        });
    }
    describe(&mut case, inside);
    case
}

fn describe(case: &mut Case, inside: &[&[&str]]) {
    let mut read_first: Vec<&str> = Vec::new();
    for words in inside {
        let role = match words {
            ["model", "none"] => {
                case.has_model = false;
                continue;
            }
            ["items", "unknown"] => {
                case.counted = false;
                continue;
            }
            ["model", "server"] | ["text", "unknown"] | ["usage", ..] => continue,
            ["elsewhere" | "links" | "typed-links", ..] => Role::Elsewhere,
            ["model", ..] => Role::Model,
            ["times", ..] => Role::Times,
            ["lists", ..] => Role::Lists,
            ["text-lists", ..] => Role::TextLists,
            ["others", ..] => Role::Others,
            ["columns", ..] => Role::Columns,
            ["text", ..] => Role::Text,
            ["tokens", ..] => Role::Tokens,
            ["files" | "plain-files", ..] => Role::Files,
            ["media", ..] => Role::Media,
            _ => panic!("{}: {words:?}", case.name),
        };
        let places = words[1..].iter().filter(|place| !place.starts_with('?'));
        for place in places {
            let first = place.split('/').next().unwrap_or_default();
            let mut rank = 0;
            if role == Role::Text {
                let known = read_first.iter().position(|name| *name == first);
                rank = known.unwrap_or(read_first.len());
                if known.is_none() {
                    read_first.push(first);
                }
            }
            case.places.push(Place {
                role,
                steps: steps(place),
                rank,
            });
        }
    }
}

fn steps(place: &str) -> Vec<Step> {
    let step = |name: &str| match name {
        "*" => Step::Each,
        "{*}" => Step::Every,
        name => Step::Member(name.to_owned()),
    };
    let names = place.split('/').filter(|_| place != ".");
    names.map(step).collect()
}
