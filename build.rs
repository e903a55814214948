//! What is made at build time: the catalog of routes, compiled from every dialect's text to one table.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const DIALECTS: &str = "filter/dialect";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={DIALECTS}");
    let mut nodes = vec![Node::default()];
    for dialect in dialects()? {
        let file = format!("{DIALECTS}/{dialect}/routes.txt");
        for (number, line) in lines(&fs::read_to_string(&file)?) {
            add(&mut nodes, &dialect, line).map_err(|error| format!("{file}:{number}: {error}"))?;
        }
    }
    let weights = fs::read_to_string(format!("{DIALECTS}/weights.txt"))?;
    let weights: Vec<&str> = lines(&weights).map(|(_, line)| line).collect();
    let out = std::env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("catalog.rs"), table(&nodes, &weights))?;
    Ok(())
}

/// The folders that have routes, in their order.
fn dialects() -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(DIALECTS)? {
        let entry = entry?;
        if entry.path().join("routes.txt").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// One segment's place in the tree of routes.
#[derive(Default)]
struct Node {
    literals: BTreeMap<String, usize>,
    /// The child for a segment of any text, and whether that text is the model's name.
    any: Option<(usize, bool)>,
    routes: Vec<String>,
}

fn table(nodes: &[Node], weights: &[&str]) -> String {
    let mut out = String::from("static NODES: &[Node] = &[\n");
    for node in nodes {
        let literals: Vec<String> = node
            .literals
            .iter()
            .map(|(text, child)| format!("({text:?}, {child})"))
            .collect();
        let _ = writeln!(
            out,
            "    Node {{ literals: &[{}], any: {:?}, routes: &[{}] }},",
            literals.join(", "),
            node.any,
            node.routes.join(", ")
        );
    }
    let _ = writeln!(out, "];\n\nstatic WEIGHTS: &[&str] = &{weights:?};");
    out
}

/// Adds a line of a dialect's routes.
fn add(nodes: &mut Vec<Node>, dialect: &str, line: &str) -> Result<(), String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [method, path, operation, body] = fields.as_slice() else {
        return Err(format!("found {} fields, expected 4", fields.len()));
    };
    let body = match *body {
        "texts" => "Body::Texts".to_owned(),
        "opaque" => "Body::Opaque".to_owned(),
        // The dialect's own says which kind it is.
        name => format!("super::{dialect}::{}", name.to_ascii_uppercase()),
    };
    let route = format!(
        "Route {{ method: {method:?}, operation: {operation:?}, dialect: &super::{dialect}::DIALECT, body: {body} }}"
    );
    let mut at = 0;
    for segment in path.split('/').skip(1) {
        let next = nodes.len();
        let node = nodes.get_mut(at).ok_or("a node that was never made")?;
        at = match segment {
            "{}" | "{model}" => {
                let names_model = segment == "{model}";
                let (child, same) = *node.any.get_or_insert((next, names_model));
                if same != names_model {
                    return Err(format!(
                        "{path}: a segment is {{model}} in one route and {{}} in another"
                    ));
                }
                child
            }
            literal => *node.literals.entry(literal.to_owned()).or_insert(next),
        };
        if at == next {
            nodes.push(Node::default());
        }
    }
    let node = nodes.get_mut(at).ok_or("a node that was never made")?;
    let twin = format!("Route {{ method: {method:?},");
    if node.routes.iter().any(|other| other.starts_with(&twin)) {
        return Err(format!("{method} {path}, which another route has too"));
    }
    node.routes.push(route);
    Ok(())
}
