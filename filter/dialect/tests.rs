use super::{DIALECTS, catalog};

#[test]
fn every_line_of_every_dialect_can_be_read() {
    for dialect in DIALECTS {
        for route in catalog::read(dialect, dialect.routes) {
            if let Err((line, why)) = route {
                panic!("{}, line {line}: {why}", dialect.name);
            }
        }
    }
}
