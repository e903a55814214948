//! Who waits no more.

use serde_json::json;

use super::{asking, http, seconds};
use crate::approval::Decision;
use crate::call::Answer;
use crate::keeper::tests::every;
use crate::keeper::{Event, Purpose};

#[test]
fn each_exchange_has_its_own_deadline_and_the_last_one_cancels() {
    let mut kept = asking();
    kept.ask_for(1, "b", 5);
    kept.ask_for(2, "b", 10);
    let ask = kept.called();
    kept.says(&ask, "b", "apr_1", "pending");
    let (calls, _) = kept.step();
    assert_eq!(
        http(&calls[0]).1,
        "/v1/approvals/apr_1?wait=10&asker=asker1"
    );
    let late = |exchange| (exchange, Decision::Late("apr_1".to_owned()));
    kept.now += seconds(5);
    assert_eq!(kept.heard(), [late(1)]);
    kept.now += seconds(5);
    let (calls, heard) = kept.step();
    assert_eq!(heard, [late(2)]);
    let cancel = json!({"asker": "asker1"}).to_string();
    assert_eq!(
        http(&calls[0]),
        ("POST", "/v1/approvals/apr_1/cancel", cancel)
    );
    assert_eq!(calls[0].purpose, Purpose::Post { letter: None });
}

#[test]
fn when_the_last_client_leaves_the_question_is_cancelled() {
    let mut kept = asking();
    let poll = kept.polled(&[1, 2]);
    assert_eq!(kept.keeper.forget(1), []);
    assert_eq!(kept.keeper.forget(2), [every(1)]);
    let cancel = kept.called();
    assert_eq!(http(&cancel).1, "/v1/approvals/apr_1/cancel");
    // What is said then is for nobody.
    kept.says(&poll, "b", "apr_1", "approved");
    assert_eq!(kept.step(), (vec![], vec![]));

    // One who leaves while it is being asked has it cancelled once it has an id.
    kept.ask(3, "b");
    let ask = kept.called();
    kept.keeper.forget(3);
    assert_eq!(kept.step(), (vec![], vec![]));
    kept.says(&ask, "b", "apr_1", "pending");
    let cancel = kept.called();
    assert_eq!(http(&cancel).1, "/v1/approvals/apr_1/cancel");

    // Who is told something has gone from the question.
    let poll = kept.polled(&[4]);
    kept.says(&poll, "b", "apr_1", "approved");
    kept.keeper.forget(4);
    assert_eq!(
        kept.step(),
        (vec![], vec![]),
        "an approval is not cancelled"
    );
}

#[test]
fn who_leaves_and_comes_back_takes_no_more_calls_than_there_are_places() {
    let mut kept = asking();
    let most = 2 * usize::try_from(kept.compiled.policy().limits.waiting.total).unwrap() + 64;
    let mut under_way = 0;
    let mut short = false;
    for exchange in 0..20_000 {
        kept.ask(exchange, "b");
        let (calls, _) = kept.step();
        for call in calls
            .iter()
            .filter(|call| !matches!(call.purpose, Purpose::Post { .. }))
        {
            match http(call).0 {
                "POST" => kept.says(call, "b", "apr_1", "pending"),
                _ => {
                    short |= http(call).1.contains("wait=1&");
                    under_way += 1;
                }
            }
        }
        let (calls, _) = kept.step();
        let polls = calls.iter().filter(|call| http(call).0 == "GET");
        for poll in polls {
            short |= http(poll).1.contains("wait=1&");
            under_way += 1;
        }
        kept.keeper.forget(exchange);
        let post = Purpose::Post { letter: None };
        for _ in 0..2 {
            let answer = Answer::Failed;
            kept.handle(Event::CallAnswered {
                purpose: post,
                answer,
            });
        }
    }
    assert!(under_way <= most, "{under_way}");
    assert!(short, "polls are short where many are for nobody");
}
