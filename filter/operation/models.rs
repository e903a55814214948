//! `/models` of the policy: one name for a model, however it is asked for.

use std::collections::BTreeMap;

use base::operation::Model;
use base::policy::{FLAG, Form, Key, Node, TEXTS, Usual};

/// The models that a policy speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Models {
    /// Names and aliases as they are written, with the model's name.
    exact: BTreeMap<String, String>,
    /// Those that may be written in any case, in lower case.
    folded: BTreeMap<String, String>,
    default: Option<String>,
}

/// `/models`.
pub static MODELS: Form = Form::map("the name of a model, as rules and quotas use it", &MODEL);

static MODEL: Form = Form::object(&[
    Key::optional("aliases", "Other names for it.", &TEXTS),
    Key::usually(
        "default",
        Usual::Flag(false),
        "Whether servers take it where a request names no model. Without a default, it can't be told what such a request is for: rules that deny apply, and rules that allow a model don't.",
        &FLAG,
    ),
    Key::usually(
        "case",
        Usual::Text("exact"),
        "Whether its names count as they are written (`exact`), or in any case (`any`).",
        &CASE,
    ),
    Key::later("shape", "what a model takes (\"shape\")"),
]);

static CASE: Form = Form::names(&["exact", "any"]);

impl Models {
    /// Reads `/models`.
    #[must_use]
    pub fn read(node: &Node<'_>) -> Self {
        let mut models = Self::default();
        let entries = node.object().map(|object| object.entries());
        for (name, node) in entries.unwrap_or_default() {
            let Some(object) = node.object() else {
                continue;
            };
            let any_case = object.name("case") == Some(1);
            let mut add = |alias: &str, node: &Node<'_>| {
                let (map, alias) = if any_case {
                    (&mut models.folded, alias.to_lowercase())
                } else {
                    (&mut models.exact, alias.to_owned())
                };
                if let Some(other) = map.insert(alias.clone(), name.to_owned()) {
                    node.problem(
                        format!("the name {alias:?}, which {other:?} has too"),
                        "a name of its own",
                    );
                }
            };
            add(name, &node);
            if let Some(list) = object.get("aliases") {
                for item in list.items() {
                    if let Some(alias) = item.text() {
                        add(alias, &item);
                    }
                }
            }
            if object.flag("default") == Some(true)
                && let Some(other) = models.default.replace(name.to_owned())
            {
                node.problem(
                    format!("a second default beside {other:?}"),
                    "one model with \"default\": true",
                );
            }
        }
        models
    }

    /// Names of models that are not the ones by which rules know them, with those.
    #[must_use]
    pub fn aliases(&self) -> Vec<(String, String)> {
        let all = self.exact.iter().chain(&self.folded);
        let others = all.filter(|(alias, name)| alias != name);
        let others = others.map(|(alias, name)| (alias.clone(), name.clone()));
        others
            .filter(|(alias, _)| !self.exact.values().any(|name| name == alias))
            .collect()
    }

    /// The name by which rules and quotas know a model.
    #[must_use]
    pub fn name<'a>(&'a self, asked: &'a str) -> &'a str {
        let known = self.exact.get(asked);
        let known = known.or_else(|| match self.folded.is_empty() {
            true => None,
            false => self.folded.get(&asked.to_lowercase()),
        });
        known.map_or(asked, String::as_str)
    }

    /// Whether the policy has a model of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        // A name is an alias of itself.
        let is_it = |known: &String| known == name;
        self.exact.values().any(is_it) || self.folded.values().any(is_it)
    }

    /// The model that is asked for, by that name. One that isn't named is the default, if there is one.
    #[must_use]
    pub fn resolve(&self, asked: Model) -> Model {
        match asked {
            Model::Nothing => Model::Nothing,
            Model::Named(name) => Model::Named(self.name(&name).to_owned()),
            Model::Unnamed => match &self.default {
                Some(name) => Model::Named(name.clone()),
                None => Model::Unnamed,
            },
        }
    }
}
