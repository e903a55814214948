//! Collects what is counted all over the desk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::missing::{self, Looks};
use super::process;
use super::text::{Text, Type};
use crate::approvals;
use crate::approvals::store::Open;
use crate::http::Refusal;
use crate::ledger::{self, Reader};
use crate::net::{PortCounts, Tls};
use crate::quotas::Figures;
use crate::sessions::{Counts, Peers, Writer};

/// How long what was collected is given out again: who asks more often costs nothing.
const FRESH: Duration = Duration::from_secs(1);

/// Where the numbers come from. Clones share what was collected last.
#[derive(Clone)]
pub struct Sources {
    /// What the recorder counts.
    pub counts: Arc<Counts>,
    /// What waits for the disk.
    pub writer: Writer,
    /// Whose streams are open.
    pub peers: Peers,
    /// The ledger.
    pub ledger: Reader,
    /// The approvals.
    pub clerk: approvals::Clerk,
    /// Who waits for them.
    pub news: approvals::News,
    /// What was decided.
    pub decided: Arc<approvals::Decided>,
    /// What is known of counts.
    pub figures: Arc<Figures>,
    /// The ports, by name.
    pub ports: Vec<(&'static str, Arc<PortCounts>)>,
    /// The desk's certificate.
    pub tls: Option<Tls>,
    /// How many records are missing.
    pub looks: Looks,
    /// What was collected last, and when.
    pub last: Arc<Mutex<Option<(Instant, String)>>>,
}

/// The route `/metrics`.
pub fn routes() -> Router<Sources> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(Shared(sources): Shared<Sources>) -> Result<Response, Refusal> {
    let mut last = sources.last.lock().await;
    let text = match &*last {
        Some((when, text)) if when.elapsed() < FRESH => text.clone(),
        _ => {
            let text = sources.collect().await?;
            *last = Some((Instant::now(), text.clone()));
            text
        }
    };
    drop(last);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

impl Sources {
    async fn collect(&self) -> Result<String, Refusal> {
        let open = self.clerk.run(|work| Ok(work.rows.open(work.now)?));
        // Without them the rest is worth as much, and /healthz tells why.
        let open = open.await.unwrap_or_default();
        let ledger = self.ledger.clone();
        let mut text = Text::default();
        self.records(&mut text);
        missing::write(&mut text, self.looks.look(&self.ledger).await);
        self.approvals(&mut text, open);
        self.quotas(&mut text);
        self.connections(&mut text);
        // Files are looked at where that may take its time.
        let rest = tokio::task::spawn_blocking(move || {
            size(&mut text, &ledger);
            process::write(&mut text);
            text
        });
        let failed = |_| Refusal::malformed("The desk is stopping.");
        Ok(rest.await.map_err(failed)?.into_string())
    }

    fn records(&self, text: &mut Text) {
        let name = "portcullis_desk_records_total";
        let help = "Session records, by what became of them.";
        text.family(name, Type::Counter, help);
        for (outcome, count) in self.counts.records() {
            text.sample(name, &[("outcome", outcome)], count);
        }
        text.one(
            "portcullis_desk_streams_refused_total",
            Type::Counter,
            "Access log streams whose sender has no key, or too many of them.",
            self.counts.refused(),
        );
        text.one(
            "portcullis_desk_record_bytes_total",
            Type::Counter,
            "Bytes of session records that were handed to the writer.",
            self.writer.bytes(),
        );
        text.one(
            "portcullis_desk_writer_waiting_batches",
            Type::Gauge,
            "Batches of records that wait for the writer.",
            number(self.writer.waiting()),
        );
        text.one(
            "portcullis_desk_writer_waiting_kib",
            Type::Gauge,
            "KiB of records that wait for the disk.",
            number(self.writer.waiting_kib()),
        );
        text.one(
            "portcullis_desk_recorder_failing",
            Type::Gauge,
            "1 if records can't be stored or signed for, or wait too long: /healthz says why.",
            u64::from(self.counts.trouble().is_some() || !self.writer.is_alive()),
        );
        let name = "portcullis_desk_streams_open";
        let help = "Open access log streams, by the filter's name; those without a key have none.";
        text.family(name, Type::Gauge, help);
        for (peer, open) in self.peers.open() {
            text.sample(name, &[("peer", &peer)], number(open));
        }
    }

    fn approvals(&self, text: &mut Text, open: Open) {
        let name = "portcullis_desk_approvals";
        let help = "Approvals that wait for a decision or to be used, by state.";
        text.family(name, Type::Gauge, help);
        text.sample(name, &[("state", "pending")], open.pending);
        text.sample(name, &[("state", "approved")], open.approved);
        text.one(
            "portcullis_desk_approvals_awaited",
            Type::Gauge,
            "Pending approvals for which a filter waits.",
            open.awaited,
        );
        text.one(
            "portcullis_desk_approvals_oldest_seconds",
            Type::Gauge,
            "How long the oldest of them has been open; 0 without any.",
            open.oldest,
        );
        text.one(
            "portcullis_desk_waits_open",
            Type::Gauge,
            "Calls of filters that wait for a decision.",
            number(self.news.waiting()),
        );
        text.one(
            "portcullis_desk_blocks",
            Type::Gauge,
            "Subjects and tokens that are blocked.",
            open.blocks,
        );
        let name = "portcullis_desk_approvals_decided_total";
        text.family(name, Type::Counter, "Decisions of reviewers.");
        for (decision, count) in self.decided.counts() {
            text.sample(name, &[("decision", decision)], count);
        }
        text.one(
            "portcullis_desk_subjects_denied_repeatedly",
            Type::Gauge,
            "Subjects to whom reviewers denied at least three approvals within an hour.",
            self.decided.denied_repeatedly(std::time::Instant::now()),
        );
        let name = "portcullis_desk_approvals_claims_total";
        text.family(
            name,
            Type::Counter,
            "Uses of approvals that filters took and gave back.",
        );
        for (outcome, count) in self.decided.claims() {
            text.sample(name, &[("outcome", outcome)], count);
        }
    }

    fn quotas(&self, text: &mut Text) {
        let (known, near) = self.figures.counts();
        text.one(
            "portcullis_desk_quota_counts",
            Type::Gauge,
            "Counts of quotas of which records have told, and whose windows are not over.",
            known,
        );
        text.one(
            "portcullis_desk_quota_counts_near_limit",
            Type::Gauge,
            "Those of them of which 80 percent or more were taken.",
            near,
        );
    }

    fn connections(&self, text: &mut Text) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut each = |name: &str, of, help: &str, value: &dyn Fn(&PortCounts) -> &AtomicU64| {
            text.family(name, of, help);
            for (port, counts) in &self.ports {
                text.sample(name, &[("port", port)], get(value(counts)));
            }
        };
        each(
            "portcullis_desk_connections_open",
            Type::Gauge,
            "Open connections.",
            &|counts| &counts.open,
        );
        each(
            "portcullis_desk_connections_accepted_total",
            Type::Counter,
            "Connections that were taken.",
            &|counts| &counts.accepted,
        );
        each(
            "portcullis_desk_connections_idle_total",
            Type::Counter,
            "Connections that were closed since no request came in time.",
            &|counts| &counts.idle,
        );
        each(
            "portcullis_desk_connections_gave_way_total",
            Type::Counter,
            "Connections without a request that were closed for others.",
            &|counts| &counts.gave_way,
        );
        each(
            "portcullis_desk_handshakes_failed_total",
            Type::Counter,
            "TLS handshakes that failed.",
            &|counts| &counts.handshakes_failed,
        );
        each(
            "portcullis_desk_accept_failed_total",
            Type::Counter,
            "Connections that the system could not hand over.",
            &|counts| &counts.accept_failed,
        );
        let name = "portcullis_desk_connections_refused_total";
        let help =
            "Connections that found no place: the port's were in use, or its address' share.";
        text.family(name, Type::Counter, help);
        for (port, counts) in &self.ports {
            for (reason, count) in [
                ("port", &counts.refused_full),
                ("address", &counts.refused_share),
            ] {
                text.sample(name, &[("port", port), ("full", reason)], get(count));
            }
        }
        if let Some(tls) = &self.tls {
            text.one(
                "portcullis_desk_certificate_expiry_timestamp_seconds",
                Type::Gauge,
                "When the desk's TLS certificate ends, in seconds since 1970.",
                tls.expires(),
            );
        }
    }
}

/// The ledger's size and its last checkpoint. What can't be read is left out, and `/healthz` knows of it.
fn size(text: &mut Text, ledger: &Reader) {
    if let Ok(segments) = ledger::segments(ledger.folder()) {
        let sizes = segments.iter().filter_map(|one| one.path.metadata().ok());
        let bytes = sizes.fold(0u64, |sum, one| sum.saturating_add(one.len()));
        let help = "Bytes of the ledger's segments.";
        text.one("portcullis_desk_ledger_bytes", Type::Gauge, help, bytes);
    }
    if let Ok(Some(latest)) = ledger.latest() {
        text.one(
            "portcullis_desk_ledger_signed_entries",
            Type::Gauge,
            "Entries that the ledger's last checkpoint signs for.",
            latest.checkpoint.size,
        );
    }
    let changed = ledger.checkpoint_file().metadata();
    let changed = changed.and_then(|file| file.modified()).ok();
    if let Some(since) = changed.and_then(|when| when.duration_since(UNIX_EPOCH).ok()) {
        text.one(
            "portcullis_desk_ledger_checkpoint_timestamp_seconds",
            Type::Gauge,
            "When the last checkpoint was signed, in seconds since 1970. There is none without a new record.",
            since.as_secs(),
        );
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
