//! A PostgreSQL of a test's own, from Debian's package.

use std::fs::{Permissions, set_permissions};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_desk::approvals::store::postgres::{Database, Postgres};
use portcullis_desk::approvals::store::{Sqlite, Store};
use portcullis_desk::store::{self, Durability};
use serde_json::{Value, json};
use testbed::authority::Issued;

use crate::harness::Folder;

/// A server with its data and its socket in a folder.
pub struct Cluster {
    folder: Folder,
    programs: PathBuf,
    server: Option<Child>,
}

/// Where Debian has the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("initdb").exists())
        .max()
}

/// The number of a user who isn't root: the server starts for nobody else.
fn other_user() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let number = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(name))?;
        let mut parts = line.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    number("postgres:").or_else(|| number("nobody:"))
}

fn is_root() -> bool {
    let out = Command::new("id").arg("-u").output().unwrap();
    out.stdout.starts_with(b"0\n")
}

impl Cluster {
    /// A new one; `None`, and a word why, where PostgreSQL isn't installed.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: found no /usr/lib/postgresql/*/bin, Debian's package postgresql");
            return None;
        };
        let mut cluster = Self {
            folder: Folder::new(),
            programs,
            server: None,
        };
        if is_root() {
            let (user, group) = other_user().unwrap();
            chown(cluster.folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = cluster.folder.file("data");
        let made = cluster
            .command("initdb")
            .args([
                "-U",
                "desk",
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        cluster.serve();
        Some(cluster)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        if is_root() {
            let (user, group) = other_user().unwrap();
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts the server, and waits until it takes connections.
    pub fn serve(&mut self) {
        self.serve_with(&["listen_addresses="]);
    }

    /// Starts it with TLS on a port of this machine, which is returned.
    pub fn serve_with_tls(&mut self, issued: &Issued) -> u16 {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        for (name, text) in [
            ("server.crt", &issued.certificate),
            ("server.key", &issued.key),
        ] {
            let path = self.folder.write(&format!("data/{name}"), text);
            set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                let (user, group) = other_user().unwrap();
                chown(&path, Some(user), Some(group)).unwrap();
            }
        }
        let port_is = format!("port={port}");
        self.serve_with(&["listen_addresses=127.0.0.1", &port_is, "ssl=on"]);
        port
    }

    fn serve_with(&mut self, settings: &[&str]) {
        let mut server = self
            .command("postgres")
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .args(["-c", "fsync=off", "-k"])
            .arg(self.folder.path())
            .arg("-D")
            .arg(self.folder.file("data"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stderr.take().unwrap());
        let mut log = String::new();
        while !log.contains("ready to accept connections") {
            assert_ne!(said.read_line(&mut log).unwrap(), 0, "no server: {log}");
        }
        std::thread::spawn(move || said.lines().for_each(drop));
        self.server = Some(server);
    }

    /// Stops it at once; what was committed is there when it is started again.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let id = server.id().to_string();
            let _ = Command::new("kill").args(["-QUIT", &id]).status();
            let _ = server.wait();
        }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where a part of the database is that nobody else uses.
    pub fn apart(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("part{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = format!("host={} user=desk dbname=postgres", self.path().display());
        let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
        client
            .batch_execute(&format!("CREATE SCHEMA {name}"))
            .unwrap();
        format!("{server} options='-c search_path={name}'")
    }

    /// The section `store` of a desk's configuration.
    pub fn store(&self) -> Value {
        let path = self.path().display();
        json!({ "postgres": format!("host={path} user=desk dbname=postgres") })
    }
}

/// Where a test keeps approvals.
pub enum Place {
    /// A file of SQLite.
    File(Folder),
    /// PostgreSQL, a part of it that nobody else uses.
    Database(String),
}

impl Place {
    /// A new file.
    pub fn file() -> Self {
        Self::File(Folder::new())
    }

    /// A new part of a database, with the tables.
    pub fn of(cluster: &Cluster) -> Self {
        let url = cluster.apart();
        Database::new(&url, None).unwrap().prepare().unwrap();
        Self::Database(url)
    }

    /// A connection of a desk's own.
    pub fn open(&self) -> Box<dyn Store> {
        match self {
            Self::File(folder) => {
                let file = store::Store::create(&folder.store()).unwrap();
                Box::new(Sqlite::new(file.connect(Durability::Normal).unwrap()))
            }
            Self::Database(url) => Box::new(Postgres::new(Database::new(url, None).unwrap())),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}
