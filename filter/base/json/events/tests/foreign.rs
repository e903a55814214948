//! Texts that nobody here wrote.

use super::super::read;
use super::likeness::compare;

#[test]
fn every_text_of_the_json_test_suite_is_judged_as_it_should_be() {
    let Some(folder) = std::env::var_os("PORTCULLIS_VECTORS") else {
        println!("skipped: PORTCULLIS_VECTORS does not name the folder that holds json-test-suite");
        return;
    };
    let folder = std::path::PathBuf::from(folder).join("json-test-suite");
    let mut judged = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read(&path).unwrap();
        let result = read(&text, &mut ());
        let repeats = [
            "y_object_duplicated_key",
            "y_object_duplicated_key_and_value",
        ];
        if repeats
            .iter()
            .any(|repeat| name == format!("{repeat}.json"))
        {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("\"a\" occurs twice"), "{name}: {error}");
        } else if name.starts_with("y_") {
            assert_eq!(result, Ok(()), "{name}");
        } else if name.starts_with("n_") {
            assert!(result.is_err(), "{name}");
        } else {
            assert!(name.starts_with("i_"), "{name}");
        }
        compare(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        judged += 1;
    }
    assert!(judged > 300, "{judged} texts");
}
