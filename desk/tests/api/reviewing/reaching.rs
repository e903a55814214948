//! Keys, and how a desk is reached.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::json;
use testbed::authority::Authority;

use super::{run, said, start, to};
use crate::harness::{ANA, EDGE, Folder};
use crate::tls::Secured;

#[test]
fn keys_come_from_the_environment_or_a_file() {
    let folder = Folder::new();
    let desk = start(&folder);
    let list = ["approvals", "list"];
    let without = said(
        to(desk.http, &list)
            .env_remove("PORTCULLIS_KEY")
            .output()
            .unwrap(),
    );
    assert_eq!(without.status, 2);
    assert!(without.error.contains("PORTCULLIS_KEY") && without.error.contains("--key-file"));
    let file = folder.write("key", &format!("{ANA}\n"));
    let mut by_file = to(desk.http, &list);
    by_file
        .env("PORTCULLIS_KEY", "the-key-of-nobody-at-all")
        .arg("--key-file")
        .arg(&file);
    said(by_file.output().unwrap()).done();
    // A key in an argument would stand in the list of processes.
    let argument = run(&desk, &["approvals", "list", "--key", ANA]);
    assert_eq!((argument.status, &*argument.out), (2, ""));
    for wrong in ["", "a b\n", "\u{e9}"] {
        let file = folder.write("key", wrong);
        let mut command = to(desk.http, &list);
        let refused = said(command.arg("--key-file").arg(&file).output().unwrap());
        assert_eq!(refused.status, 2, "{wrong:?}");
        assert!(
            refused.error.contains("expected a key"),
            "{}",
            refused.error
        );
    }
    for (key, code) in [
        ("the-key-of-nobody-at-all", "401 unauthorized"),
        (EDGE, "403 wrong_key"),
    ] {
        let refused = said(
            to(desk.http, &list)
                .env("PORTCULLIS_KEY", key)
                .output()
                .unwrap(),
        );
        assert_eq!(refused.status, 1, "{}", refused.error);
        assert!(refused.error.contains(code), "{}", refused.error);
        assert!(
            refused.error.contains("PORTCULLIS_KEY"),
            "{}",
            refused.error
        );
        assert!(!refused.error.contains(key), "{}", refused.error);
    }
}

#[test]
fn a_desk_that_is_none_is_told() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let away = said(to(nobody, &["grants", "list"]).output().unwrap());
    assert_eq!((away.status, &*away.out), (2, ""));
    assert!(
        away.error
            .contains(&format!("http://{nobody}: can't be reached")),
        "{}",
        away.error
    );
    assert!(away.error.contains("--desk"), "{}", away.error);
    let wrong = said(
        to(nobody, &["blocks", "--desk", "desk.example"])
            .output()
            .unwrap(),
    );
    assert_eq!(wrong.status, 2);
    assert!(wrong.error.contains("expected http://"), "{}", wrong.error);
    let wrong = said(to(nobody, &["approvals", "show", "../x"]).output().unwrap());
    assert_eq!(wrong.status, 2);
    assert!(
        wrong.error.contains("expected one as lists show it"),
        "{}",
        wrong.error
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let other = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).unwrap();
        let body = "<html>\u{1b}[2J";
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
    });
    let none = said(to(address, &["approvals", "list"]).output().unwrap());
    other.join().unwrap();
    assert_eq!(none.status, 2);
    assert!(none.error.contains("is not JSON"), "{}", none.error);
    assert!(!none.error.contains('\u{1b}'));
}

#[test]
fn a_desk_with_tls_is_reached_by_its_authority_and_a_certificate() {
    let secured = Secured::new();
    let clients = Authority::new("the clients'").unwrap();
    let authority = secured.folder.write("clients.pem", &clients.certificate());
    let section = secured.section(json!({ "client_ca": authority }));
    let desk = secured.start(json!({ "tls": section }));
    let own = secured
        .folder
        .write("ca.pem", &secured.authority.certificate());
    let shown = clients.issue(&["ana.example"]).unwrap();
    let certificate = secured.folder.write("ana.pem", &shown.certificate);
    let key = secured.folder.write("ana.key", &shown.key);
    let list = |options: &[(&str, &std::path::Path)]| {
        let mut command = to(desk.http, &["approvals", "list"]);
        command.env("PORTCULLIS_DESK", format!("https://{}", desk.http));
        for (name, path) in options {
            command.arg(name).arg(path);
        }
        said(command.output().unwrap())
    };
    let whole = [
        ("--ca", &*own),
        ("--certificate", &*certificate),
        ("--certificate-key", &*key),
    ];
    list(&whole).done();
    for (few, said) in [
        (&whole[..1], "can't be reached"),
        (&whole[1..], "can't be reached"),
        (&whole[..2], "expected both or none"),
        (
            &[("--ca", &*key)][..],
            "found no certificate, expected one (PEM)",
        ),
        (
            &[whole[0], whole[1], ("--certificate-key", &*own)],
            "found no private key",
        ),
    ] {
        let refused = list(few);
        assert_eq!(refused.status, 2, "{}", refused.error);
        assert!(refused.error.contains(said), "{}", refused.error);
    }
}
