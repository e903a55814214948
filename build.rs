//! What is made at build time: the operation catalog, compiled from text to a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const CATALOG: &str = "filter/operation/catalog.txt";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={CATALOG}");
    let table = compile(&std::fs::read_to_string(CATALOG)?)?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("catalog.rs"), table)?;
    Ok(())
}

/// One segment's place in the tree of routes.
#[derive(Default)]
struct Node {
    literals: BTreeMap<String, usize>,
    /// The child for a segment of any text, and whether that text is the model's name.
    any: Option<(usize, bool)>,
    routes: Vec<String>,
}

fn compile(text: &str) -> Result<String, String> {
    let mut nodes = vec![Node::default()];
    let mut suffixes = String::new();
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["SUFFIX", suffix, operation] => {
                let _ = writeln!(suffixes, "    ({suffix:?}, {operation:?}),");
            }
            [method, path, operation, dialect, body] => {
                let route = format!(
                    "Route {{ method: {method:?}, operation: {operation:?}, dialect: Dialect::{}, body: Shape::{} }}",
                    variant(dialect),
                    variant(body)
                );
                add(&mut nodes, path, route)?;
            }
            _ => {
                return Err(format!(
                    "{CATALOG}:{}: found {} fields, expected 5",
                    number + 1,
                    fields.len()
                ));
            }
        }
    }
    let mut out = String::from("static NODES: &[Node] = &[\n");
    for node in &nodes {
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
    let _ = writeln!(
        out,
        "];\n\nstatic SUFFIXES: &[(&str, &str)] = &[\n{suffixes}];"
    );
    Ok(out)
}

fn add(nodes: &mut Vec<Node>, path: &str, route: String) -> Result<(), String> {
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
                        "{CATALOG}: {path}: a segment is {{model}} in one route and {{}} in another"
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
    node.routes.push(route);
    Ok(())
}

/// `tensors-grpc` -> `TensorsGrpc`.
fn variant(name: &str) -> String {
    name.split('-')
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        })
        .collect()
}
