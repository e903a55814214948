//! What is kept: the session records, as the desk gives them to a reviewer.

use std::collections::BTreeMap;

use serde_json::Value;

use super::at;
use crate::paper::Paper;
use crate::stage::Stage;

pub fn play(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    paper.title("What is kept");
    let mut records = stage.desk.sessions(stage.sent())?;
    // Each of Envoy's workers has a stream of its own to the desk.
    records.sort_by(|one, other| at(one, "/time").cmp(at(other, "/time")));
    let mut rows = vec![
        [
            "time",
            "record",
            "subject",
            "operation",
            "action",
            "rule or code",
            "status",
            "matches",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for run in records.chunk_by(|one, other| alike(one) == alike(other)) {
        match run {
            // Of the many that use up a quota, the last stands for all.
            [before @ .., last] if before.len() > 2 => {
                let mut cells = cells(last);
                cells.push(format!("and {} alike before it", before.len()));
                rows.push(cells);
            }
            few => rows.extend(few.iter().map(cells)),
        }
    }
    paper.table(&rows);
    paper.note(&format!(
        "{} requests through Envoy, {} records at the desk",
        stage.sent(),
        records.len()
    ));
    paper.expect(
        records.len() == stage.sent(),
        "there is not one record for each request",
    );
    paper.expect(without_gaps(&records), "the records' numbers have gaps");
    replay(paper, stage, &records)
}

/// What the record of the answer that streamed keeps of it, and when that went.
fn replay(paper: &mut Paper, stage: &Stage, records: &[Value]) -> Result<(), String> {
    let streamed =
        |record: &&Value| record.pointer("/response/streamed") == Some(&Value::Bool(true));
    let record = records.iter().find(streamed).ok_or("nothing streamed")?;
    let record = stage.desk.session(at(record, "/id"))?;
    let parts = record.pointer("/bodies/response/parts");
    let parts = parts.and_then(Value::as_array).ok_or("no parts are kept")?;
    let texts = parts.iter().map(|part| at(part, "/text"));
    paper.note(&format!(
        "the record of the stream has it masked, in {} parts, the last one {} ms after the request",
        parts.len(),
        parts
            .last()
            .and_then(|part| part.get("after"))
            .unwrap_or(&Value::Null),
    ));
    let said: String = texts.collect();
    paper.expect(
        said.contains("[EMAIL]") && !said.contains('@'),
        "the record has what its masks should have hidden",
    );
    Ok(())
}

/// Which worker wrote it and its number there, who asked for what, and what came of it.
fn cells(record: &Value) -> Vec<String> {
    let time: String = at(record, "/time").chars().skip(11).take(12).collect();
    let worker: String = at(record, "/worker").chars().take(4).collect();
    let mut cells = vec![time, format!("{worker}-{}", number(record))];
    cells.extend(alike(record));
    cells
}

fn alike(record: &Value) -> Vec<String> {
    let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
    let rule_or_code = match at(record, "/verdict/code") {
        "" | "denied" => at(record, "/verdict/rule"),
        code => code,
    };
    let rule_or_code = match rule_or_code {
        "" => at(record, "/verdict/code"),
        known => known,
    };
    let status = record.pointer("/response/status").and_then(Value::as_u64);
    let matches = record
        .pointer("/response/matches")
        .and_then(Value::as_object);
    let counts = matches.into_iter().flat_map(|found| found.values());
    let matched: u64 = counts.filter_map(Value::as_u64).sum();
    vec![
        or_dash(at(record, "/identity/subject")),
        or_dash(at(record, "/request/operation")),
        or_dash(at(record, "/verdict/action")),
        or_dash(rule_or_code),
        status.map_or_else(|| "-".to_owned(), |status| status.to_string()),
        matched.to_string(),
    ]
}

fn number(record: &Value) -> u64 {
    let number = record.pointer("/number").and_then(Value::as_u64);
    number.unwrap_or_default()
}

/// Whether each worker's numbers run from 1 on: a missing one would be a lost record.
fn without_gaps(records: &[Value]) -> bool {
    let mut workers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for record in records {
        let numbers = workers.entry(at(record, "/worker")).or_default();
        numbers.push(number(record));
    }
    workers.values_mut().all(|numbers| {
        numbers.sort_unstable();
        numbers.iter().copied().eq((1..).take(numbers.len()))
    })
}
