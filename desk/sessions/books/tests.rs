use super::*;

fn record(id: u64, number: u64) -> Record {
    let text =
        format!(r#"{{"version":1,"id":"{id:032x}","worker":"aa","number":{number},"time":"t"}}"#);
    Record::read(text.as_bytes()).unwrap()
}

fn outcome(new: usize, known: usize, contradicting: &[usize]) -> Outcome {
    Outcome {
        new,
        known,
        contradicting: contradicting.to_vec(),
        foreign: Vec::new(),
    }
}

#[test]
fn a_record_is_stored_once_whether_the_index_has_it_yet_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(&folder.path().join("ledger"), &folder.path().join("keys"));
    let (mut books, opened, _) = Books::open(&options).unwrap();
    assert!(opened.is_new);
    let (one, two, three) = (record(1, 1), record(2, 2), record(3, 3));
    let same_batch = [&one, &one, &two, &record(9, 2), &record(2, 9)];
    assert_eq!(books.put(same_batch).unwrap(), outcome(2, 1, &[3, 4]));
    let again = [&two, &one, &three, &record(9, 3), &record(1, 8)];
    assert_eq!(
        books.put(again).unwrap(),
        outcome(1, 2, &[3, 4]),
        "before the index has them"
    );
    books.settle().unwrap();
    assert_eq!(
        books.put(again).unwrap(),
        outcome(0, 3, &[3, 4]),
        "after it has"
    );
    assert_eq!(books.ledger().size(), 4);
    books.put([&record(4, 4)]).unwrap();
    drop(books);
    // It ended before the index had the last one.
    let (mut books, _, lacked) = Books::open(&options).unwrap();
    assert_eq!(lacked, 1);
    assert_eq!(
        books.put([&record(4, 4), &one]).unwrap(),
        outcome(0, 2, &[])
    );
    assert_eq!(books.ledger().size(), 5);
}

#[test]
fn an_exchange_is_said_to_go_on_once_and_only_before_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(&folder.path().join("ledger"), &folder.path().join("keys"));
    let (mut books, ..) = Books::open(&options).unwrap();
    let open = |id: u64, number: u64| {
        let names = format!(r#""id":"{id:032x}","worker":"aa","number":{number}"#);
        let text = format!(r#"{{"version":1,{names},"open":true}}"#);
        Record::read_logged(text.as_bytes()).unwrap()
    };
    let both = [&open(1, 1), &open(1, 1), &open(2, 2), &record(2, 2)];
    assert_eq!(books.put(both).unwrap(), outcome(1, 0, &[]));
    // A key, the record, and the one that goes on.
    assert_eq!(books.ledger().size(), 3);
    books.put([&open(1, 1), &open(2, 2), &open(3, 3)]).unwrap();
    assert_eq!(books.ledger().size(), 4, "the third is new");
    assert_eq!(books.put([&record(3, 3)]).unwrap(), outcome(1, 0, &[]));
    books.settle().unwrap();
    books.put([&open(3, 3), &open(2, 2), &open(9, 3)]).unwrap();
    assert_eq!(books.ledger().size(), 5, "their records are there");
    drop(books);
    // What was said is forgotten with the desk; a record is not.
    let (mut books, ..) = Books::open(&options).unwrap();
    assert_eq!(
        books.put([&open(1, 1), &open(2, 2)]).unwrap(),
        outcome(0, 0, &[])
    );
    assert_eq!(books.ledger().size(), 6);
}

#[test]
fn a_record_is_stored_once_while_others_are_being_added_to_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(&folder.path().join("ledger"), &folder.path().join("keys"));
    let (mut books, _, _) = Books::open(&options).unwrap();
    books.most = 5;
    for number in 0..200 {
        let new = record(number, number);
        // The one before, one that is being added, one that the index has, and a false one.
        let old = [1, 7, 40].map(|back| number.saturating_sub(back));
        let mut all: Vec<_> = old.iter().map(|number| record(*number, *number)).collect();
        all.insert(0, new);
        all.push(record(number, number + 1000));
        assert_eq!(books.put(&all).unwrap(), outcome(1, 3, &[4]), "{number}");
    }
    assert!(books.adding.is_some() || books.missing.rows.len() < 5);
    books.settle().unwrap();
    let count = |connection: &Connection| -> i64 {
        let count = "SELECT count(*) FROM sessions";
        connection.query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((books.ledger().size(), count(&books.index)), (201, 200));
    drop(books);
    let (_, _, lacked) = Books::open(&options).unwrap();
    assert_eq!(lacked, 0);
}

#[test]
fn what_could_not_be_added_to_the_index_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(&folder.path().join("ledger"), &folder.path().join("keys"));
    let (mut books, _, _) = Books::open(&options).unwrap();
    books.most = 1;
    books.index.busy_timeout(std::time::Duration::ZERO).unwrap();
    books.put([&record(1, 1)]).unwrap();
    // Somebody else writes for longer than anyone waits.
    let other = Connection::open(index::file(&options.folder)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    books.put([&record(2, 2)]).unwrap();
    let error = books.put([&record(3, 3)]).unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    let error = books.settle().unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    other.execute_batch("COMMIT").unwrap();
    let again = [&record(1, 1), &record(2, 2), &record(3, 3)];
    assert_eq!(books.put(again).unwrap(), outcome(1, 2, &[]));
    books.settle().unwrap();
    drop(books);
    let (mut books, _, lacked) = Books::open(&options).unwrap();
    assert_eq!((lacked, books.ledger().size()), (0, 4));
}
