//! Paths: what is judged is what the model server gets.

use serde_json::json;
use testbed::http::Request;
use testbed::http::raw::Connection;

use super::{PROBE, Rules};
use crate::support::code;

impl Rules {
    /// What is judged is what the model server gets.
    pub(super) fn paths_are_judged_as_they_arrive(&self) {
        for (index, (sent, arrives)) in [
            ("/v1//models", "/v1/models"),
            ("//v1/models/", "/v1/models"),
            ("/v1/./x/../models", "/v1/models"),
            ("/v1/%2e/x/%2E%2e/models", "/v1/models"),
            ("/%76%31/mod%65ls", "/v1/models"),
            ("/v1/models?a=%2e%2e//b", "/v1/models?a=%2e%2e//b"),
            ("/v1/models/a%20b%c3%a9", "/v1/models/a%20b%C3%A9"),
        ]
        .into_iter()
        .enumerate()
        {
            let request = Request::get(sent).bearer(&self.engineer);
            let record = self.passes(&format!("path-{index}"), "people", request);
            assert_eq!(record["request"]["operation"], "model.list", "{sent}");
            let judged = arrives.split('?').next();
            assert_eq!(record["request"]["path"], json!(judged), "{sent}");
            let received = self.guarded.model.wait_received(1).unwrap();
            assert_eq!(received[0].path, arrives, "{sent}");
        }
        for (index, path) in [
            "/v1/files//model.safetensors",
            "/v1/files/model.safetensors/",
            "/v1/files/model.%73afetensors",
            "/v1/files/x/%2e%2e/model.safetensors",
            "/v1/files/model.safetensors?x=/v1/models",
        ]
        .into_iter()
        .enumerate()
        {
            let case = format!("hidden-export-{index}");
            self.denied(&case, Some("no-export"), self.by_operator(path));
        }
        let body = json!({"model": "small-1", "messages": [{"role": "user", "content": PROBE}]});
        let hidden = Request::post("/v1//chat/%63ompletions")
            .bearer(&self.engineer)
            .json(&body);
        self.denied("hidden-probe", Some("probing"), hidden);
    }

    /// Paths that two servers may read as two different ones, sent byte by byte.
    pub(super) fn ambiguous_paths_are_refused(&self) {
        self.guarded.model.forget();
        for path in [
            "/v1%2fmodels",
            "/v1/models%2F",
            "/v1%5cmodels",
            "/v1\\models",
            "/v1/models;x=1",
            "/v1/models%3bx",
            "/v1/%256dodels",
            "/v1/models%00",
            "/v1/models%0d%0a",
            "/v1/%",
            "/v1/%zz",
            "/../v1/models",
            "/v1/../../v1/models",
            "/v1/%2e%2e/%2e%2e/v1/models",
        ] {
            let mut connection = Connection::open(self.guarded.mesh.port()).unwrap();
            let head = format!(
                "GET {path} HTTP/1.1\r\nhost: ambiguous.test\r\nauthorization: Bearer {}\r\n\r\n",
                self.operator
            );
            connection.send(head.as_bytes()).unwrap();
            let answer = connection.response().unwrap();
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
            assert_eq!(code(&answer), "path_not_normal", "{path}");
        }
        assert_eq!(
            self.guarded.model.begun(),
            0,
            "an ambiguous path reached the model server"
        );
    }
}
