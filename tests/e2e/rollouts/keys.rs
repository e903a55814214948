//! The keys that the filter sends are replaced. A virtual machine's environment is fixed when it starts: the way to
//! another value is another virtual machine, beside which the one before ends what it has begun.

use std::sync::Arc;

use serde_json::{Value, json};
use testbed::http::{self, Client, Response};
use testbed::manifest;
use testbed::mesh::Mesh;
use testbed::model::Model;

use super::load::{is_right, streamed, under_load, whole};
use super::{Served, everywhere, moderate, nothing_trapped, sections, token, tune};
use crate::delivery::Delivery;
use crate::support::{CREDENTIAL, Desk, FILTER_KEY, ana, chat};
use crate::versions::in_every_envoy;

in_every_envoy!(keys_are_replaced_under_load);

const NEXT_CREDENTIAL: &str = "service-key-of-tomorrow";
const NEXT_KEY: &str = "filter-key-of-tomorrow";

/// Whether this Envoy tells virtual machines apart by their environments.
fn tells_environments_apart(version: &str) -> bool {
    let mut numbers = version
        .split('.')
        .map(|number| number.parse::<u32>().unwrap());
    (numbers.next(), numbers.next()) >= (Some(1), Some(39))
}

fn deliver(delivery: &Delivery, credential: &str, key: &str, generation: &str) {
    delivery.deliver_filter(|filter| {
        manifest::set_policy(filter, &sections());
        let vm = filter
            .pointer_mut("/typed_config/config/vm_config")
            .unwrap();
        let values = json!({"MODEL_SERVER_KEY": credential, "DESK_KEY": key});
        vm["environment_variables"] = json!({"key_values": values});
        let text = "type.googleapis.com/google.protobuf.StringValue";
        vm["configuration"] = json!({"@type": text, "value": generation});
    });
}

/// What passes only because the desk says so.
fn granted(client: &Client, token: &str) -> Result<(), String> {
    let answer: Response = client.send(tune(token, "file-1"))?;
    is_right(&answer, answer.json()["training_file"] == "file-1")
}

/// What the model server is sent as a credential.
fn sent(mesh: &Mesh, model: &Model) -> Vec<String> {
    model.forget();
    let answer = http::send(mesh.port(), chat(&ana(), "Hi")).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = model.received();
    let sent = received
        .iter()
        .filter_map(|one| one.header("authorization"));
    sent.map(str::to_owned).collect()
}

/// Another desk takes this one's place, with another configuration.
fn replaced(mut desk: Desk, filter: &Value) -> Desk {
    let place = Arc::clone(&desk.place);
    place.configure(&json!({ "filters": [filter] }));
    desk.process.stop();
    Desk::start_at(&place)
}

fn keys_are_replaced_under_load(version: &str) {
    let delivery = Delivery::new();
    deliver(&delivery, CREDENTIAL, FILTER_KEY, "1");
    let served = Served::start(version, &delivery);
    served.grant("gil");
    let Served { mesh, model, desk } = served;
    let hold = |subject: &str| {
        let client = Client::http1(mesh.port()).unwrap();
        client.start(moderate(subject)).unwrap()
    };
    let before = format!("Bearer {CREDENTIAL}");
    let after = format!("Bearer {NEXT_CREDENTIAL}");
    assert!(sent(&mesh, &model).iter().all(|one| *one == before));
    let early = hold("early");
    let question = desk.pending("early");

    under_load(&mesh, &ana(), &[whole, streamed], |load| {
        // First whoever is asked takes both keys.
        let both = json!({"name": "edge", "key": NEXT_KEY, "previous_key": FILTER_KEY});
        let desk = replaced(desk, &both);
        load.go_on();
        // Then the filter gets the new ones.
        under_load(&mesh, &token("gil"), &[granted], |load| {
            deliver(&delivery, NEXT_CREDENTIAL, NEXT_KEY, "1");
            load.go_on();
            if !tells_environments_apart(version) {
                // To these Envoys nothing has changed.
                load.go_on();
                assert!(sent(&mesh, &model).iter().all(|one| *one == before));
            }
            deliver(&delivery, NEXT_CREDENTIAL, NEXT_KEY, "2");
            everywhere("the new credential", || {
                let sent = sent(&mesh, &model);
                assert!(
                    sent.iter().all(|one| *one == before || *one == after),
                    "{sent:?}"
                );
                sent.iter().all(|one| *one == after)
            });
        });
        // Whoever waited before has the key of before.
        desk.decide(&question, "approve", "");
        assert_eq!(early.response().unwrap().read().status, 200);
        // At last only the new one is taken.
        let late = hold("late");
        let question = desk.pending("late");
        let desk = replaced(desk, &json!({"name": "edge", "key": NEXT_KEY}));
        load.go_on();
        desk.decide(&question, "approve", "");
        assert_eq!(late.response().unwrap().read().status, 200);
        let again = http::send(mesh.port(), tune(&token("gil"), "file-2")).unwrap();
        assert_eq!(again.status, 200, "{}", again.text());
    });
    nothing_trapped(&mesh);
}
