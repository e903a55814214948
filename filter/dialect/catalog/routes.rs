//! The tree of routes, by the segments of their paths.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::sort::sort_by_key;

use super::template::{Template, method};
use crate::dialect::{Body, Dialect};

/// Deeper paths are in no catalog.
const MAX_SEGMENTS: usize = 24;

/// A route of a server.
#[derive(Clone, Debug)]
pub struct Route {
    /// In upper case; `*` for any.
    pub(super) method: String,
    /// Its template.
    pub(super) path: String,
    /// What it asks for.
    pub operation: &'static str,
    /// Whose route it is.
    pub dialect: &'static Dialect,
    /// What it takes.
    pub body: Body,
    /// The parameters of the query that name the model.
    pub(super) model_parameters: Vec<String>,
    /// The parameters of the query that multiply what is asked for.
    pub(super) times_parameters: Vec<String>,
}

impl Route {
    /// A route whose query says nothing.
    pub(in crate::dialect) fn new(
        method: &str,
        path: &str,
        operation: &'static str,
        dialect: &'static Dialect,
        body: Body,
    ) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            operation,
            dialect,
            body,
            model_parameters: Vec::new(),
            times_parameters: Vec::new(),
        }
    }

    /// The parameters of the query that name the model.
    #[must_use]
    pub fn model_parameters(&self) -> &[String] {
        &self.model_parameters
    }

    /// The parameters of the query that multiply what is asked for.
    #[must_use]
    pub fn times_parameters(&self) -> &[String] {
        &self.times_parameters
    }

    /// Whether it is the same one.
    #[must_use]
    pub fn is(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other)
    }
}

/// A route that fits.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which.
    pub route: Arc<Route>,
    /// The model that the path names.
    pub model: Option<String>,
    /// Whether the model is the last thing that the path names.
    pub ends_in_model: bool,
}

/// The routes of one or more dialects.
#[derive(Clone, Debug)]
pub struct Routes(Vec<Node>);

impl Default for Routes {
    fn default() -> Self {
        Self(vec![Node::default()])
    }
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<String, usize>,
    /// Those that say more come first.
    templates: Vec<(Template, usize)>,
    routes: BTreeMap<String, Arc<Route>>,
}

impl Routes {
    /// Adds a route; gives it back if another one has its method and path, or its path is none.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn add(&mut self, route: Route) -> Result<(), &'static str> {
        let segments = route.path.strip_prefix('/');
        let segments = segments.ok_or("its path does not begin with a slash")?;
        if method(&route.method).is_none() {
            return Err("its method is not in upper case");
        }
        let mut at = 0;
        for segment in segments.split('/') {
            let template = Template::read(segment).ok_or("its path has a segment that is none")?;
            at = self.child_or_new(at, template).ok_or("it is too deep")?;
        }
        let node = self.0.get_mut(at).ok_or("it is too deep")?;
        if node.routes.contains_key(&route.method) {
            return Err("another route has its method and path");
        }
        node.routes.insert(route.method.clone(), Arc::new(route));
        Ok(())
    }

    fn child_or_new(&mut self, at: usize, template: Template) -> Option<usize> {
        let new = self.0.len();
        let node = self.0.get_mut(at)?;
        let child = if let Template::Literal(text) = template {
            *node.literals.entry(text).or_insert(new)
        } else {
            let known = node.templates.iter().find(|(known, _)| *known == template);
            match known {
                Some((_, child)) => *child,
                None => {
                    node.templates.push((template, new));
                    sort_by_key(&mut node.templates, |(template, _)| {
                        core::cmp::Reverse(template.weight())
                    });
                    new
                }
            }
        };
        if child == new {
            self.0.push(Node::default());
        }
        Some(child)
    }

    /// The route of a method and the segments of a path, without what escapes they have.
    #[must_use]
    pub fn find(&self, method: &str, segments: &[&str]) -> Option<Found> {
        self.look(method, segments, false)
    }

    /// As [`Self::find`], for servers that fold the case of paths.
    #[must_use]
    pub fn find_in_any_case(&self, method: &str, segments: &[&str]) -> Option<Found> {
        self.look(method, segments, true)
    }

    fn look(&self, method: &str, segments: &[&str], fold: bool) -> Option<Found> {
        if segments.len() > MAX_SEGMENTS {
            return None;
        }
        let method = if method == "HEAD" { "GET" } else { method };
        self.walk(0, Asked { method, fold }, segments)
    }

    fn walk(&self, at: usize, asked: Asked<'_>, segments: &[&str]) -> Option<Found> {
        let node = self.0.get(at)?;
        let Some((first, rest)) = segments.split_first() else {
            return node.found(asked.method);
        };
        let literal = node.literals.get(*first).copied();
        if let Some(found) = literal.and_then(|child| self.walk(child, asked, rest)) {
            return Some(found);
        }
        if asked.fold {
            let alike = node.literals.iter();
            let mut alike = alike.filter(|(text, _)| text.eq_ignore_ascii_case(first));
            let found = alike.find_map(|(_, child)| self.walk(*child, asked, rest));
            if found.is_some() {
                return found;
            }
        }
        let mut templates = node.templates.iter();
        templates.find_map(|(template, child)| self.fit(template, *child, asked, segments))
    }

    fn fit(
        &self,
        template: &Template,
        child: usize,
        asked: Asked<'_>,
        segments: &[&str],
    ) -> Option<Found> {
        let (first, rest) = segments.split_first()?;
        if first.is_empty() {
            return None;
        }
        match template {
            Template::Literal(_) => None,
            Template::Any { model, suffix } => {
                let text = strip_suffix(first, suffix, asked.fold)?;
                let mut found = self.walk(child, asked, rest)?;
                if *model && found.model.is_none() {
                    found.ends_in_model = rest.is_empty() && suffix.is_empty();
                    found.model = Some(text.to_owned());
                }
                Some(found)
            }
            Template::Name if segments.len() <= 2 => {
                let mut found = self.0.get(child)?.found(asked.method)?;
                found.model = Some(segments.join("/"));
                found.ends_in_model = true;
                Some(found)
            }
            Template::Name => None,
            Template::Rest => self.0.get(child)?.found(asked.method),
        }
    }
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    method: &'a str,
    fold: bool,
}

impl Node {
    fn found(&self, method: &str) -> Option<Found> {
        let route = self.routes.get(method).or_else(|| self.routes.get("*"))?;
        Some(Found {
            route: Arc::clone(route),
            model: None,
            ends_in_model: false,
        })
    }
}

fn strip_suffix<'a>(text: &'a str, suffix: &str, fold: bool) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (before, end) = text.split_at_checked(at)?;
    let fits = end == suffix || (fold && end.eq_ignore_ascii_case(suffix));
    (fits && !before.is_empty()).then_some(before)
}
