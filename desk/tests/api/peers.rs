//! Whose records the desk takes.

use axum::body::Bytes;
use axum::http;
use portcullis_desk::sessions::{MAX_STREAMS, StreamAccessLogsMessage};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower_service::Service as _;

use crate::access_log::{METHOD, call, call_by, entry, message, open_on, record, records, stream};
use crate::client::call as call_http;
use crate::harness::{ANA, Desk, EDGE, Folder, INNER};

#[test]
fn records_are_taken_from_filters_only_where_they_need_a_key() {
    let folder = Folder::new();
    let desk = Desk::start_with(&folder.config_with(true), &folder.store());
    let good = || {
        let record = record(1, json!({})).to_string();
        vec![message(vec![entry(record.as_bytes())])]
    };
    for (keys, code) in [
        (&[][..], Code::Unauthenticated),
        (&["none-of-the-keys-there-are"], Code::Unauthenticated),
        (&[""], Code::Unauthenticated),
        (&[EDGE, INNER], Code::Unauthenticated),
        (&[ANA], Code::PermissionDenied),
    ] {
        let status = call(desk.grpc, METHOD, keys, good()).unwrap_err();
        assert_eq!(status.code(), code, "{keys:?}");
        assert!(!status.message().contains("the-key-of"), "{status}");
    }
    let health = desk.until("/healthz", |health| health["records"]["refused"] == 5);
    assert_eq!(health["records"]["stored"], 0);
    stream(desk.grpc, good()).unwrap();
    records(&desk, 1);
    let (_, log) = desk.stop();
    assert!(log.contains("an access log stream was refused"), "{log}");
    assert!(
        !log.contains("the-key-of") && !log.contains("none-of-the"),
        "{log}"
    );
}

#[test]
fn without_that_a_key_is_not_needed_and_a_wrong_one_is_none() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let good = || {
        let record = record(1, json!({})).to_string();
        vec![message(vec![entry(record.as_bytes())])]
    };
    let status = call(desk.grpc, METHOD, &["none-of-the-keys-there-are"], good());
    assert_eq!(status.unwrap_err().code(), Code::Unauthenticated);
    call(desk.grpc, METHOD, &[], good()).unwrap();
    records(&desk, 1);
    let (_, log) = desk.stop();
    assert!(log.contains("records_need_key"), "{log}");
}

type Messages = Vec<StreamAccessLogsMessage>;

/// Opens as many streams as a peer may have, all idle once they have said something; then it may have no more,
/// another one has its own, and all end with their connections.
fn has_its_own(
    keys: &'static [&str],
    own: impl Fn(&Desk, Messages) -> Result<(), Status>,
    others: impl Fn(&Desk, Messages) -> Result<(), Status>,
) {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let address = format!("http://{}", desk.grpc);
    let connect = || {
        let channel = Channel::from_shared(address.clone()).unwrap();
        runtime.block_on(channel.connect()).unwrap()
    };
    let record = |number| {
        let record = record(number, json!({})).to_string();
        message(vec![entry(record.as_bytes())])
    };
    // A connection has 200 streams at most.
    let channels: Vec<Channel> = (0..MAX_STREAMS.div_ceil(128)).map(|_| connect()).collect();
    let idle: Vec<_> = (0..MAX_STREAMS)
        .map(|at| open_on(&runtime, channels[at / 128].clone(), METHOD, keys))
        .collect();
    // All are open once each has said something that was stored.
    for ((sender, _), number) in idle.iter().zip(1..) {
        runtime.block_on(sender.send(record(number))).unwrap();
    }
    records(&desk, u64::try_from(MAX_STREAMS).unwrap());
    let status = own(&desk, vec![record(5000)]).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let another = crate::access_log::record(5001, json!({ "worker": "00000000000000bb" }));
    let another = message(vec![entry(another.to_string().as_bytes())]);
    others(&desk, vec![another]).unwrap();
    drop((idle, channels));
    desk.until("/healthz", |_| own(&desk, vec![record(5002)]).is_ok());
}

#[test]
fn no_peer_shuts_another_one_out() {
    has_its_own(
        &[EDGE],
        |desk, messages| stream(desk.grpc, messages),
        |desk, messages| call(desk.grpc, METHOD, &[INNER], messages),
    );
}

#[test]
fn without_keys_no_address_shuts_another_one_out() {
    has_its_own(
        &[],
        |desk, messages| call(desk.grpc, METHOD, &[], messages),
        |desk, messages| {
            let other = |endpoint: Endpoint| endpoint.local_address(Some([127, 0, 0, 2].into()));
            let to = format!("http://{}", desk.grpc);
            call_by(&to, other, METHOD, &[], messages)
        },
    );
}

/// Messages that are begun and never end: 24 of 30 MB each took 826 MB once.
#[cfg(target_os = "linux")]
#[test]
fn half_messages_take_no_more_memory_than_their_peer_may_have() {
    const STREAMS: usize = 24;
    const LENGTH: u32 = 30 << 20;
    let folder = Folder::new();
    let config = folder.config_but(json!({ "connections": { "idle_seconds": 4 } }));
    let desk = Desk::start_with(&config, &folder.store());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let address = format!("http://{}", desk.grpc);
    let half = |channel: Channel| {
        let (sender, pieces) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
        runtime.spawn(async move {
            let head = [&[0][..], &LENGTH.to_be_bytes()].concat();
            let mut sent = sender.send(Ok(head.into())).await;
            for _ in 0..29 {
                sent = sent.and(sender.send(Ok(vec![7; 1 << 20].into())).await);
            }
            // The message is not whole: nothing more comes, and the stream stays open.
            sender.closed().await;
        });
        runtime.spawn(async move {
            let body = axum::body::Body::from_stream(ReceiverStream::new(pieces));
            let request = http::Request::post(format!("http://desk{METHOD}"))
                .header("content-type", "application/grpc")
                .header("authorization", format!("Bearer {EDGE}"))
                .body(tonic::body::Body::new(body))
                .unwrap();
            let mut channel = channel;
            std::future::poll_fn(|context| channel.poll_ready(context))
                .await
                .unwrap();
            let answer = channel.call(request).await.unwrap();
            answer.headers().get("grpc-status").cloned()
        })
    };
    let memory = || {
        let text = call_http(desk.http, "GET", "/metrics", None, None).body;
        let line = text
            .lines()
            .find(|line| line.starts_with("process_resident_memory_bytes "));
        line.unwrap()
            .split(' ')
            .next_back()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    let before = memory();
    let open: Vec<_> = (0..STREAMS)
        .map(|_| {
            let channel = Channel::from_shared(address.clone()).unwrap();
            half(runtime.block_on(channel.connect()).unwrap())
        })
        .collect();
    let mut most = before;
    // Others of the same peer go on, and so does everybody else.
    for (number, keys) in [(1, &[EDGE][..]), (2, &[INNER]), (3, &[])] {
        // Each has a worker of its own.
        let worker = format!("{number:016x}");
        let record = record(number, json!({ "worker": worker })).to_string();
        let messages = vec![message(vec![entry(record.as_bytes())])];
        call(desk.grpc, METHOD, keys, messages).unwrap();
        records(&desk, number);
    }
    while !open.iter().all(tokio::task::JoinHandle::is_finished) {
        most = most.max(memory());
    }
    let more = most - before;
    assert!(more < 250e6, "{:.0} MB more", more / 1e6);
    for answer in open {
        let status = runtime.block_on(answer).unwrap();
        assert_eq!(status.unwrap(), "4");
    }
}
