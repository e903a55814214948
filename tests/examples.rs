//! Every policy under examples/policies loads as the filter loads it.

use std::fs;
use std::path::Path;

use portcullis::exchange::CompiledPolicy;

#[test]
fn every_example_policy_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policies");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        if let Err(problems) = CompiledPolicy::load(&text, &|_| {
            Some("a value that is long enough for any key".to_owned())
        }) {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{name}:\n{}", lines.join("\n"));
        }
        names.push(name);
    }
    assert!(names.contains(&"demo.json".to_owned()), "{names:?}");
}
