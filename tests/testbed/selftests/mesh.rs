use std::net::TcpStream;
use std::path::Path;

use serde_json::json;

use crate::body::Step;
use crate::envoy;
use crate::grpc;
use crate::http::{self, Client, Request};
use crate::mesh::Mesh;
use crate::model::{Answer, Model};

#[test]
fn what_is_shipped_carries_streams_calls_and_logs() {
    let model = Model::start().unwrap();
    let mesh = Mesh::builder()
        .unguarded()
        .model(model.port())
        .start()
        .unwrap();
    let gate = model.say_gated(&["One ", "two"]);
    let request = Request::post("/v1/chat/completions")
        .json(&json!({ "model": "small-1", "messages": [], "stream": true }));
    let client = Client::http1(mesh.port()).unwrap();
    let mut stream = client.open(request).unwrap();
    assert!(stream.next_event().unwrap().unwrap().contains("assistant"));
    gate.open(1);
    assert!(stream.next_event().unwrap().unwrap().contains("One "));
    gate.open(1);
    let rest = stream.read();
    assert_eq!(rest.broken, None);
    assert!(rest.text().contains("two"));

    model.say("Hello");
    let client = Client::http2(mesh.port()).unwrap();
    let answer = grpc::infer(&client, "m", "Hi", &[]).unwrap();
    assert_eq!(answer.code, Some(0));
    assert_eq!(answer.messages[0].texts(), ["Hello"]);

    let lines = mesh.access_log(2).unwrap();
    assert_eq!(lines[0]["path"], "/v1/chat/completions");
    assert_eq!(lines[0]["status"], 200);
    assert_eq!(lines[1]["cluster"], "models_grpc");
    assert!(mesh.sessions(0).unwrap().is_empty());
    let stats = mesh.stats("cluster.models.upstream_rq_total").unwrap();
    assert_eq!(stats["cluster.models.upstream_rq_total"], 1);
    assert!(mesh.admin("/server_info").unwrap().contains("LIVE"));
    assert!(mesh.log().contains("starting main dispatch loop"));

    let (id, port) = (mesh.id(), mesh.port());
    let file = mesh.file("access.log");
    drop(mesh);
    assert!(!Path::new(&format!("/proc/{id}")).exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!file.exists());
}

#[test]
fn an_envoy_serves_one_mesh_after_another() {
    let model = Model::start().unwrap();
    let start = || {
        // No other test has this variable, nor an Envoy with it.
        let builder = Mesh::builder().variable("ONE_AFTER_ANOTHER", "value");
        builder
            .variable("MODEL_SERVER_KEY", "key")
            .model(model.port())
            .shared()
            .start()
            .unwrap()
    };
    let refused = |mesh: &Mesh| {
        let answer = http::get(mesh.port(), "/v1/models").unwrap();
        assert_eq!(answer.status, 401, "{}", answer.text());
        let name = "http.inference.downstream_rq_4xx";
        assert_eq!(mesh.stats(name).unwrap()[name], 1);
        assert_eq!(mesh.sessions(1).unwrap().len(), 1);
    };
    let first = start();
    refused(&first);
    let second = start();
    assert_ne!(first.id(), second.id());
    let (id, port, file) = (first.id(), first.port(), first.file("access.log"));
    drop(first);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!file.exists());

    let third = start();
    assert_eq!(third.id(), id);
    assert!(!third.log().contains("starting main dispatch loop"));
    refused(&third);
}

#[test]
fn what_a_test_changes_is_changed() {
    let model = Model::start().unwrap();
    model.answer(
        "/large",
        Answer::new(200).steps(vec![Step::Fill(b'x', 5_000_000)]),
    );
    let mesh = Mesh::builder()
        .unguarded()
        .concurrency(1)
        .model_http2(model.port())
        .cluster("idp", model.port())
        .without_cluster("desk")
        .without_cluster("desk_log")
        .buffer_limit(65_536)
        .listener("second", "{}")
        .start()
        .unwrap();
    let large = http::get(mesh.port(), "/large").unwrap();
    assert_eq!((large.body.len(), large.broken), (5_000_000, None));
    let second = mesh.port_of("second").unwrap();
    assert_ne!(second, mesh.port());
    assert_eq!(http::get(second, "/v2").unwrap().json()["name"], "testbed");
    let clusters = mesh.admin("/clusters").unwrap();
    assert!(clusters.contains("idp::127.0.0.1"), "{clusters}");
    assert!(!clusters.contains("desk"), "{clusters}");
    assert!(clusters.contains("models::127.0.0.1"), "{clusters}");
    let stats = mesh
        .stats("cluster.models.upstream_cx_http2_total")
        .unwrap();
    assert!(stats["cluster.models.upstream_cx_http2_total"] > 0);
}

#[test]
fn the_oldest_version_takes_what_is_shipped() {
    let model = Model::start().unwrap();
    let mesh = Mesh::builder()
        .version(Some(envoy::OLDEST))
        .unguarded()
        .model(model.port())
        .start()
        .unwrap();
    assert_eq!(http::get(mesh.port(), "/v2").unwrap().status, 200);
    assert!(mesh.admin("/server_info").unwrap().contains(envoy::OLDEST));
}

#[test]
fn the_shipped_policy_guards_as_it_stands() {
    let model = Model::start().unwrap();
    let mesh = Mesh::builder()
        .variable("MODEL_SERVER_KEY", "k")
        .model(model.port())
        .start()
        .unwrap();
    let answer = http::get(mesh.port(), "/v1/models").unwrap();
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(model.begun(), 0);
    assert_eq!(mesh.sessions(1).unwrap().len(), 1);
}

#[test]
fn a_configuration_that_envoy_refuses_is_told_with_its_log() {
    // The routes need it.
    let broken = || Mesh::builder().unguarded().without_cluster("models");
    let log = broken().refused().unwrap();
    assert!(log.contains("unknown cluster 'models'"), "{log}");
    let error = broken().start().unwrap_err();
    assert!(error.contains("unknown cluster 'models'"), "{error}");
    let error = Mesh::builder().unguarded().refused().unwrap_err();
    assert!(error.contains("should refuse"), "{error}");
}

#[test]
fn a_taken_port_is_named() {
    let model = Model::start().unwrap();
    let error = Mesh::builder()
        .unguarded()
        .ports(model.port(), 0)
        .start()
        .unwrap_err();
    assert!(error.contains(&format!("port {}", model.port())), "{error}");
}
