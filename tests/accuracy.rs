//! The accuracy of the built-in detectors on foreign sentences with labels, by the code of
//! the example `accuracy`.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../examples/accuracy/kinds.rs"]
mod kinds;
#[path = "../examples/accuracy/labelled.rs"]
mod labelled;
#[path = "../examples/accuracy/measure.rs"]
mod measure;
#[path = "../examples/accuracy/report.rs"]
mod report;

/// The least precision and recall of each detector.
const GOALS: &[(&str, f64)] = &[
    ("email", 0.98),
    ("iban", 0.98),
    ("us_ssn", 0.98),
    ("ip", 0.98),
    ("credit_card", 0.98),
    ("phone", 0.90),
];

#[test]
fn the_detectors_are_as_accurate_as_they_promise() {
    let Some(folder) = std::env::var_os("PORTCULLIS_VECTORS") else {
        println!("skipped: PORTCULLIS_VECTORS does not name the folder that holds pii");
        return;
    };
    let file = std::path::Path::new(&folder).join("pii/generated_large.json");
    let sentences = labelled::read(file.to_str().unwrap()).unwrap();
    let measured = measure::measure(&sentences).unwrap();
    for (detector, goal) in GOALS {
        let tallies = &mut measured.tallies.iter();
        let tally = tallies
            .find(|tally| tally.kind.detector == *detector)
            .unwrap();
        assert!(
            tally.labelled > 10 && tally.precision() >= *goal && tally.recall() >= *goal,
            "{detector}\n{}",
            report::Report(&measured)
        );
    }
}
