//! The desk in a cluster: what Kustomize and Helm make, and that a desk starts with it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::process::{self, Process};
use testbed::{desk, http, manifest, port, tools};

use super::{had, printed, root, text_of};

const CHART: &str = "envoy/helm/portcullis-desk";

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    let mut found = documents.iter().filter(|one| one["kind"] == kind);
    let first = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(
        found.next().is_none() || kind == "Service",
        "several of {kind}"
    );
    first
}

/// The desks are closed up, and everything that selects their pods does.
fn is_sound(documents: &[Value]) {
    let desks = of_kind(documents, "StatefulSet");
    let pods = &desks["spec"]["template"];
    let pod = &pods["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    let container = &pod["containers"][0];
    let context = &container["securityContext"];
    assert_eq!(context["readOnlyRootFilesystem"], true);
    assert_eq!(context["allowPrivilegeEscalation"], false);
    assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
    for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
        assert!(container[probe].is_object(), "{probe}");
    }
    assert!(container["resources"]["limits"]["memory"].is_string());
    let image = text_of(&container["image"]);
    assert!(
        image.contains(":0.1.0") || image.contains("@sha256:"),
        "{image}"
    );

    let labels = &pods["metadata"]["labels"];
    let selects = |selector: &Value| {
        let selector = selector.as_object().unwrap();
        assert!(!selector.is_empty());
        for (name, value) in selector {
            assert_eq!(labels[name.as_str()], *value, "{name}");
        }
    };
    selects(&desks["spec"]["selector"]["matchLabels"]);
    selects(&of_kind(documents, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]);
    selects(&of_kind(documents, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]);
    let ports: Vec<&Value> = container["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    let services: Vec<&Value> = documents
        .iter()
        .filter(|one| one["kind"] == "Service")
        .collect();
    assert_eq!(services.len(), 2);
    for service in &services {
        selects(&service["spec"]["selector"]);
        for one in service["spec"]["ports"].as_array().unwrap() {
            assert!(ports.contains(&&one["targetPort"]), "{one}");
        }
    }
    assert!(
        services
            .iter()
            .any(|one| one["metadata"]["name"] == desks["spec"]["serviceName"])
    );

    let claims = desks["spec"]["volumeClaimTemplates"]
        .as_array()
        .unwrap()
        .iter();
    let mut volumes: Vec<&Value> = claims.map(|one| &one["metadata"]["name"]).collect();
    volumes.extend(
        pod["volumes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["name"]),
    );
    for mount in container["volumeMounts"].as_array().unwrap() {
        assert!(volumes.contains(&&mount["name"]), "{mount}");
    }
    let config = of_kind(documents, "ConfigMap");
    let of_pod = pod["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "config");
    assert_eq!(
        of_pod.unwrap()["configMap"]["name"],
        config["metadata"]["name"]
    );
    let _: Value = serde_json::from_str(&text_of(&config["data"]["desk.json"])).unwrap();
}

/// A desk starts with these arguments and this configuration, and is well.
fn desk_starts(arguments: &Value, config: &str) {
    let folder = process::folder().unwrap();
    let file = folder.path().join("desk.json");
    fs::write(&file, config).unwrap();
    let (own, grpc) = (port::free().unwrap(), port::free().unwrap());
    let mut command = Command::new(desk::build().unwrap());
    for argument in arguments.as_array().unwrap() {
        let argument = text_of(argument)
            .replace("0.0.0.0:7070", &format!("127.0.0.1:{own}"))
            .replace("0.0.0.0:7071", &format!("127.0.0.1:{grpc}"))
            .replace("/etc/portcullis/desk.json", file.to_str().unwrap())
            .replace("/var/lib/portcullis", folder.path().to_str().unwrap());
        command.arg(argument);
    }
    command
        .env("DESK_KEY", "a-key-for-a-filter")
        .env("ANA_KEY", "a-key-for-a-reviewer");
    let mut process = Process::spawn_in("the desk", folder, command).unwrap();
    let well = || http::get(own, "/healthz").is_ok_and(|answer| answer.status == 200);
    process
        .until("the desk to be well", Duration::from_secs(60), well)
        .unwrap();
}

fn starts(documents: &[Value]) {
    let container = &of_kind(documents, "StatefulSet")["spec"]["template"]["spec"]["containers"][0];
    desk_starts(
        &container["args"],
        &text_of(&of_kind(documents, "ConfigMap")["data"]["desk.json"]),
    );
}

#[test]
fn compose_s_desk_starts() {
    let compose = manifest::documents("envoy/compose/compose.yaml")
        .unwrap()
        .remove(0);
    let config = fs::read_to_string(root().join("envoy/compose/desk.json")).unwrap();
    desk_starts(&compose["services"]["desk"]["command"], &config);
}

#[test]
fn kustomize_makes_desks() {
    let Some(kubectl) = had(tools::kubectl()) else {
        return;
    };
    let made = |folder: &str| {
        let mut command = Command::new(&kubectl);
        command
            .arg("kustomize")
            .arg(root().join("envoy/kubernetes").join(folder));
        manifest::parsed(&printed(&mut command)).unwrap()
    };
    let base = made("base");
    is_sound(&base);
    starts(&base);
    let shared = made("overlays/postgres");
    is_sound(&shared);
    assert_eq!(of_kind(&shared, "StatefulSet")["spec"]["replicas"], 2);
    assert!(
        of_kind(&shared, "ConfigMap")["data"]["desk.json"]
            .to_string()
            .contains("postgres://")
    );
    assert!(
        of_kind(&shared, "NetworkPolicy")["spec"]["egress"]
            .to_string()
            .contains("5432")
    );
}

#[test]
fn helm_makes_desks() {
    let Some(helm) = had(tools::helm()) else {
        return;
    };
    let home = process::folder().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&helm);
        command.current_dir(root()).args(arguments);
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(name, home.path());
        }
        command
    };
    printed(&mut run(&["lint", "--strict", CHART]));
    let made = |more: &[&str]| {
        let arguments = [
            &["template", "approvals", CHART, "--namespace", "portcullis"],
            more,
        ]
        .concat();
        manifest::parsed(&printed(&mut run(&arguments))).unwrap()
    };
    let plain = made(&[]);
    is_sound(&plain);
    starts(&plain);
    // The name that the manifests for meshes know.
    let arguments = [
        "template",
        "portcullis-desk",
        CHART,
        "--namespace",
        "portcullis",
    ];
    let named = manifest::parsed(&printed(&mut run(&arguments))).unwrap();
    assert_eq!(
        of_kind(&named, "StatefulSet")["metadata"]["name"],
        "portcullis-desk"
    );

    let store =
        r#"config.store={"postgres":"postgres://desk:${DB_PASSWORD}@db/desk?sslmode=require"}"#;
    let shared = made(&["--set", "replicas=3", "--set-json", store]);
    is_sound(&shared);
    let pod = &of_kind(&shared, "StatefulSet")["spec"]["template"]["spec"];
    assert!(pod["topologySpreadConstraints"].is_array());
    let digest = format!("image.digest=sha256:{}", "0f".repeat(32));
    let secured = made(&["--set", "tls.secret=desk-tls", "--set", &digest]);
    is_sound(&secured);
    let container = &of_kind(&secured, "StatefulSet")["spec"]["template"]["spec"]["containers"][0];
    assert!(container["readinessProbe"]["tcpSocket"].is_object());

    // What the chart's own schema refuses.
    for wrong in [
        ["--set", "replicas=2"],
        ["--set", "replicas=0"],
        ["--set", "secret="],
        ["--set", "image.digest=latest"],
        ["--set", "imgae.tag=1"],
    ] {
        let arguments = [&["template", "approvals", CHART], wrong.as_slice()].concat();
        let output = run(&arguments).output().unwrap();
        assert!(!output.status.success(), "{wrong:?}");
    }
}
