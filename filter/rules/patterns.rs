//! `/patterns` of the policy: named sets of expressions for prompts.

use base::policy::{Form, Key, Node, TEXTS, last_line};
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;

/// A named set of expressions; a text fits when any of them matches anywhere in it.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Its name in rules and records.
    pub name: String,
    expressions: Regex,
}

impl Pattern {
    /// Whether any expression matches somewhere in the text. Linear in the text's length.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        self.expressions.is_match(text)
    }
}

/// What one pattern set may cost: bytes of the compiled expressions, and of the lazy machine
/// that runs them.
const MAX_COMPILED_BYTES: usize = 4 << 20;
const MAX_CACHE_BYTES: usize = 2 << 20;

/// `/patterns`.
pub static PATTERNS: Form = Form::map("the name of a set of expressions", &PATTERN);

static PATTERN: Form = Form::object(&[Key::required(
    "any_of",
    "Regular expressions without look-around and Unicode classes; a text fits when any of them matches anywhere in it.",
    &TEXTS,
)]);

/// Reads `/patterns`.
#[must_use]
pub fn read(node: &Node<'_>) -> Vec<Pattern> {
    node.each_named(read_one)
}

fn read_one(name: &str, node: &Node<'_>) -> Option<Pattern> {
    let object = node.object()?;
    let mut expressions = Vec::new();
    for item in object.get("any_of")?.items() {
        let Some(text) = item.text() else { continue };
        match compile(&[text]) {
            Ok(_) => expressions.push(text),
            Err(reason) => item.problem(
                format!("{text:?}, which does not compile: {reason}"),
                "a regular expression without look-around and Unicode classes",
            ),
        }
    }
    match compile(&expressions) {
        Ok(expressions) => Some(Pattern {
            name: name.to_owned(),
            expressions,
        }),
        Err(reason) => {
            node.problem(reason, "expressions that fit into 4 MiB together");
            None
        }
    }
}

fn compile(expressions: &[&str]) -> Result<Regex, String> {
    Regex::builder()
        .configure(
            Config::new()
                .nfa_size_limit(Some(MAX_COMPILED_BYTES))
                .hybrid_cache_capacity(MAX_CACHE_BYTES),
        )
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .build_many(expressions)
        .map_err(|error| match error.syntax_error() {
            Some(syntax) => last_line(&syntax.to_string()).to_owned(),
            None if error.size_limit().is_some() => "it is too large: more than 4 MiB".to_owned(),
            None => error.to_string(),
        })
}
