//! `portcullis desk`: starts the parts, and stops them in order.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tonic::service::Routes;

use crate::approvals::store::Sqlite;
use crate::approvals::store::postgres::{self, Heard, Listening, Postgres};
use crate::approvals::work::Enter;
use crate::approvals::{self, Clerk, Decided, Desk, News};
use crate::config::{self, Config, Place, Shared};
use crate::control::Orders;
use crate::http::{Callers, MAX_BODY_BYTES, Refusal, json as answer};
use crate::ledger::{self, Keys, LedgerError, Reader, Watch};
use crate::metrics::{self, Sources};
use crate::net::{Limits, Port, PortCounts, Protocol, Tls};
use crate::quotas::{self, Figures, Quotas};
use crate::sessions::{
    self, Archive, Books, BooksError, Counts, Intake, Lost, Numbers, Peers, Recorder, Writer,
};
use crate::stop::Stop;
use crate::store::{Database, Durability, Store, StoreError};
use crate::witness::{self, Board, Post, States};

/// How long clients may stay connected once the desk is stopping.
const GRACE: Duration = Duration::from_secs(10);

/// How long the last checkpoint may take to the witnesses once the desk is stopping.
const LAST_POST: Duration = Duration::from_secs(5);

/// The arguments of the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the HTTP API listens.
    pub listen: SocketAddr,
    /// Where the access log service listens.
    pub grpc: SocketAddr,
    /// The SQLite file.
    pub store: PathBuf,
    /// The ledger's folder; beside the store if absent.
    pub ledger: Option<PathBuf>,
    /// The folder of the ledger's signing keys; beside the store if absent.
    pub keys: Option<PathBuf>,
    /// A file that every checkpoint is appended to.
    pub witness: Option<PathBuf>,
    /// The configuration file.
    pub config: PathBuf,
}

/// Why the desk can't run, in one sentence.
#[derive(Debug)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// Runs the desk until SIGTERM or ctrl-c.
///
/// # Errors
/// What keeps it from starting, or from storing what it received.
pub fn run(options: &Options) -> Result<(), Failure> {
    let config = read_config(options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure(format!("no threads to run on: {error}")))?;
    let result = runtime.block_on(serve(options, &config));
    // Whatever still runs after the grace period must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

fn read_config(options: &Options) -> Result<Config, Failure> {
    let name = options.config.display();
    let text = std::fs::read_to_string(&options.config)
        .map_err(|error| Failure(format!("{name} can't be read: {error}")))?;
    config::read(&text, &|variable| std::env::var(variable).ok())
        .map_err(|problem| Failure(format!("{name}: {problem}")))
}

async fn serve(options: &Options, config: &Config) -> Result<(), Failure> {
    let store = Store::create(&options.store)?;
    let approvals = store.connect(Durability::Full)?;
    let books = open_books(options, config, &approvals)?;
    let board = open_board(options, config)?;
    let http = bind(options.listen, "--listen").await?;
    let grpc = bind(options.grpc, "--grpc").await?;
    let signal = signals()?;

    let (stopping, stop) = Stop::new();
    let tls = config.tls.as_ref();
    let tls = tls.map(|files| Tls::start(files, stop.clone())).transpose();
    let tls = tls.map_err(|failure| Failure(format!("/tls: {failure}")))?;
    let counts = Arc::new(Counts::default());
    let figures = Arc::<Figures>::default();
    let folder = options.ledger();
    let (writer, thread) = match books {
        Ok(books) => {
            let (writer, thread) = sessions::start(
                books,
                Arc::clone(&counts),
                Arc::clone(&figures),
                stop.clone(),
            )
            .map_err(|error| Failure(format!("no thread for the recorder: {error}")))?;
            Orders::start(&folder, &writer, &stop);
            (writer, Some(thread))
        }
        Err(damage) => {
            tracing::error!(error = %damage, "no session records are stored");
            counts.storing_fails(Some(damage));
            (Writer::gone(), None)
        }
    };
    let witnesses = Arc::new(States::default());
    let telling = Post::start(&Reader::new(&folder), &config.witnesses, &witnesses)
        .map_err(|error| Failure(format!("witnesses can't be told: {error}")))?;
    let reading = sessions::connect_index(&sessions::index_file(&folder))?;
    let callers = Arc::new(Callers::new(config));
    let (news, decided) = (News::default(), Arc::<Decided>::default());
    let (store, _listening) = match &config.store {
        None => (
            Box::new(Sqlite::new(approvals)) as Box<dyn approvals::store::Store>,
            None,
        ),
        Some(shared) => {
            let (store, listening) = share(shared, &news)?;
            (store, Some(listening))
        }
    };
    let keep = approvals::acts::kept_for(config.retention);
    let counted = Arc::clone(&decided);
    let (clerk, _) = Clerk::start(store, entering(&writer), news.clone(), counted, keep)
        .map_err(|error| Failure(format!("no thread for approvals: {error}")))?;
    warn_of_unlinked(&callers);
    let room = approvals::acts::Room {
        bytes: config.answers.mebibytes << 20,
        ..approvals::acts::Room::STANDARD
    };
    let desk = Desk::new(Arc::clone(&callers), clerk, news, stop.clone())
        .with_room(room)
        .with_figures(Arc::clone(&figures));
    let archive = Archive {
        callers,
        database: Database::new(reading),
        ledger: Reader::new(&folder),
        writer: writer.clone(),
    };
    if let Some(keep) = config.retention.filter(|_| thread.is_some()) {
        let reader = archive.ledger.clone();
        tokio::spawn(sessions::retain(writer.clone(), reader, keep, stop.clone()));
    }
    let intake = Intake {
        callers: Arc::clone(&desk.callers),
        writer: writer.clone(),
    };
    let numbers = Numbers::new(Arc::clone(&desk.callers), writer.clone(), stop.clone());
    let peers = Peers::new(Arc::clone(&desk.callers), config.records_need_key);
    let (limits, less) = Limits::of_this_process(&config.connections);
    if let Some(less) = less {
        tracing::warn!("/connections/most: {less}");
    }
    let recorder = Recorder::new(
        writer.clone(),
        Arc::clone(&counts),
        peers.clone(),
        limits.idle,
        stop.clone(),
    );
    if !config.records_need_key {
        tracing::warn!(
            "session records are taken without a key: set \"records_need_key\" once every Envoy sends one"
        );
    }
    tracing::info!(
        http = %address(&http, options.listen),
        grpc = %address(&grpc, options.grpc),
        store = %options.store.display(),
        ledger = %folder.display(),
        "the desk is open"
    );

    let health = Health {
        database: archive.database.clone(),
        writer: writer.clone(),
        counts,
        witnesses,
    };
    let (http_counts, grpc_counts) = (Arc::default(), Arc::default());
    let sources = Sources {
        counts: Arc::clone(&health.counts),
        writer: writer.clone(),
        peers,
        ledger: archive.ledger.clone(),
        clerk: desk.clerk.clone(),
        news: desk.news.clone(),
        decided,
        figures: Arc::clone(&figures),
        ports: vec![
            ("http", Arc::clone(&http_counts)),
            ("grpc", Arc::clone(&grpc_counts)),
        ],
        tls: tls.clone(),
        looks: metrics::Looks::default(),
        last: Arc::default(),
    };
    let quotas = Quotas {
        callers: Arc::clone(&desk.callers),
        figures,
    };
    let app = router(desk, archive, (intake, numbers, quotas), health, board)
        .merge(metrics::routes().with_state(sources));
    let port = |name, listener, protocol, app, counts: Arc<PortCounts>| Port {
        name,
        listener,
        protocol,
        app,
        limits,
        tls: tls.clone(),
        counts,
        stop: stop.clone(),
    };
    let web = tokio::spawn(port("http", http, Protocol::Http, app, http_counts).serve());
    let log = Routes::new(recorder).into_axum_router();
    let log = tokio::spawn(port("grpc", grpc, Protocol::Grpc, log, grpc_counts).serve());

    signal.await;
    tracing::info!("the desk is closing");
    let _ = stopping.send(true);
    let (web_abort, log_abort) = (web.abort_handle(), log.abort_handle());
    let both = async { (web.await, log.await) };
    if tokio::time::timeout(GRACE, both).await.is_err() {
        tracing::warn!("some clients did not let go in time");
        web_abort.abort();
        log_abort.abort();
    }
    let Some(thread) = thread else {
        return Err(Failure(
            "no session records were stored: the ledger is damaged".to_owned(),
        ));
    };
    let flushed = async {
        writer.end().await;
        tokio::task::spawn_blocking(move || thread.join()).await
    };
    let flushed = tokio::time::timeout(GRACE, flushed).await;
    // Whoever can't be told in time is told at the next start.
    let _ = tokio::task::spawn_blocking(move || telling.finish(LAST_POST)).await;
    match flushed {
        Ok(Ok(Ok(Ok(())))) => Ok(()),
        Ok(Ok(Ok(Err(Lost(records))))) => Err(Failure(format!(
            "{records} session records could not be stored, and are lost"
        ))),
        _ => Err(Failure(
            "the recorder did not end in time: session records may be lost".to_owned(),
        )),
    }
}

/// The database that other desks work on, too, and the thread that hears them.
fn share(
    shared: &Shared,
    news: &News,
) -> Result<(Box<dyn approvals::store::Store>, Listening), Failure> {
    let failure = |why: String| Failure(format!("/store/postgres: {why}"));
    let database =
        postgres::Database::new(shared.url.secret(), shared.ca.as_deref()).map_err(failure)?;
    // Its client has a runtime of its own, which can't be driven from this one.
    let prepared = std::thread::scope(|scope| scope.spawn(|| database.prepare()).join());
    prepared
        .map_err(|_| failure("the database can't be prepared".to_owned()))?
        .map_err(|error| failure(error.to_string()))?;
    let news = news.clone();
    let wake = move |heard: Heard<'_>| match heard {
        Heard::Approval(id) => news.decided(id),
        Heard::Standing => news.stands(),
        Heard::Anything => news.all(),
    };
    let listening = postgres::listen(database.clone(), wake)
        .map_err(|error| failure(format!("no thread that listens: {error}")))?;
    Ok((Box::new(Postgres::new(database)), listening))
}

/// Enters what happens to approvals, from the thread that works on them.
fn entering(writer: &Writer) -> Enter {
    let (writer, runtime) = (writer.clone(), Handle::current());
    Box::new(move |events| runtime.block_on(writer.enter_all(events)).is_ok())
}

/// Says of whom it can't be told for certain which requests are their own.
fn warn_of_unlinked(callers: &Callers) {
    for person in callers.reviewers() {
        if person.subjects.is_empty() {
            tracing::warn!(
                reviewer = person.name,
                "requests of this reviewer's own can't be told reliably: no \"subjects\" are linked, so that the name is compared with the subject"
            );
        }
    }
}

/// Opens the ledger and moves into it what an earlier version kept elsewhere. The inner error is a
/// ledger that is damaged: approvals go on without it, and health says so.
fn open_books(
    options: &Options,
    config: &Config,
    store: &rusqlite::Connection,
) -> Result<Result<Books, String>, Failure> {
    let files = config.witnesses.iter().filter_map(|one| match &one.place {
        Place::File(path) => Some(path),
        Place::Webhook { .. } | Place::Cosigner { .. } => None,
    });
    let ledger = ledger::Options {
        witnesses: options.witness.iter().chain(files).cloned().collect(),
        segment_millis: sessions::segment_millis(config.retention),
        ..ledger::Options::new(&options.ledger(), &options.keys())
    };
    let (mut books, opened, indexed) = match Books::open(&ledger) {
        Err(BooksError::Ledger(error @ LedgerError::Damaged(_))) => {
            return Ok(Err(error.to_string()));
        }
        result => result.map_err(|error| Failure(error.to_string()))?,
    };
    if let Some(cut) = &opened.cut {
        tracing::warn!(
            segment = %cut.path.display(),
            at = cut.offset,
            bytes = cut.bytes,
            "a write that was cut off was cut away"
        );
    }
    if opened.tiles_made {
        tracing::warn!("the ledger's tiles were made anew");
    }
    if !opened.is_new && indexed > 0 {
        tracing::info!(entries = indexed, "the index was brought up to the ledger");
    }
    let callers = Callers::new(config);
    books.set_filters(callers.filters().cloned().collect());
    let moved = sessions::adopt(store, &mut books).map_err(|error| Failure(error.to_string()))?;
    if moved > 0 {
        tracing::info!(
            records = moved,
            "session records were moved into the ledger"
        );
    }
    Ok(Ok(books))
}

/// The desk as a witness for others, if it is one.
fn open_board(options: &Options, config: &Config) -> Result<Option<Board>, Failure> {
    let Some(watching) = &config.watching else {
        return Ok(None);
    };
    let failed = |error: LedgerError| Failure(error.to_string());
    let key = Keys::new(&options.keys()).witness(&watching.name);
    let folder = options.store.with_extension("witness");
    let watch = Watch::new(&folder, key.map_err(failed)?, watching.logs.iter().cloned());
    let watch = watch.map_err(failed)?;
    tracing::info!(key = %watch.key(), "the desk is a witness for others");
    Ok(Some(Board::new(watch)))
}

impl Options {
    /// The ledger's folder.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        let beside = || self.store.with_extension("ledger");
        self.ledger.clone().unwrap_or_else(beside)
    }

    /// The folder of the ledger's signing keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        let beside = || self.store.with_extension("keys");
        self.keys.clone().unwrap_or_else(beside)
    }
}

async fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure(format!("{option} {address} can't be listened on: {error}")))
}

fn address(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

/// A future that ends with the first SIGTERM or ctrl-c.
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| Failure(format!("signals can't be received: {error}"));
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// What `/healthz` checks and reports.
#[derive(Clone)]
struct Health {
    database: Database,
    writer: Writer,
    counts: Arc<Counts>,
    witnesses: Arc<States>,
}

fn router(
    desk: Desk,
    archive: Archive,
    (intake, numbers, quotas): (Intake, Numbers, Quotas),
    health: Health,
    board: Option<Board>,
) -> Router {
    let witness = board.map(|board| witness::routes().with_state(board));
    Router::new()
        .route("/healthz", get(healthz))
        .with_state(health)
        .merge(approvals::routes().with_state(desk))
        .merge(sessions::routes().with_state(archive))
        .merge(sessions::intake_routes().with_state(intake))
        .merge(sessions::number_routes().with_state(numbers))
        .merge(quotas::routes().with_state(quotas))
        .merge(witness.unwrap_or_default())
        .fallback(async || Refusal::not_found("address").into_response())
        .method_not_allowed_fallback(async || {
            Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address doesn't take that method.",
            )
            .into_response()
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn healthz(
    axum::extract::State(health): axum::extract::State<Health>,
) -> Result<Response, Refusal> {
    health
        .database
        .run(|store| store.query_row("SELECT 1", [], |_| Ok(())))
        .await?;
    let gone = || (!health.writer.is_alive()).then(|| "the writer has ended".to_owned());
    if let Some(reason) = health.counts.trouble().or_else(gone) {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "recorder_failing",
            format!("Session records can't be stored: {reason}."),
        ));
    }
    if let Some(reason) = health.witnesses.trouble() {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "witness_failing",
            format!("Nobody vouches for the session records: {reason}."),
        ));
    }
    let body = json!({
        "status": "ok",
        "records": health.counts.to_json(),
        "witnesses": health.witnesses.to_json(),
    });
    Ok(answer(StatusCode::OK, body.to_string()))
}
