//! Whether a connection is in use: a request is being read, worked on or answered.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::Instant;

/// What is known of a connection's requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    /// How many there are now.
    pub(super) requests: usize,
    /// Whether there has ever been one.
    pub(super) ever: bool,
    /// When that was last another number.
    pub(super) since: Instant,
}

/// The requests of one connection.
#[derive(Debug)]
pub(super) struct Activity(watch::Sender<Use>);

impl Activity {
    /// A connection that begins.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(Use {
            requests: 0,
            ever: false,
            since: Instant::now(),
        })))
    }

    /// What is known now.
    pub(super) fn now(&self) -> Use {
        *self.0.borrow()
    }

    /// A request begins; it ends when what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        self.0.send_modify(|now| {
            now.requests = now.requests.saturating_add(1);
            now.ever = true;
            now.since = Instant::now();
        });
        Open(Arc::clone(self))
    }

    /// Ends once no request has been open for so long: the first time after `head`, later after `idle`.
    pub(super) async fn quiet(&self, head: Duration, idle: Duration) {
        let mut changes = self.0.subscribe();
        loop {
            let now = *changes.borrow_and_update();
            let until = async {
                if now.requests > 0 {
                    std::future::pending::<()>().await;
                }
                let patience = if now.ever { idle } else { head };
                let end = now.since.checked_add(patience).unwrap_or(now.since);
                tokio::time::sleep_until(end).await;
            };
            tokio::select! {
                () = until => return,
                // The sender is `self`, and lives.
                _ = changes.changed() => {}
            }
        }
    }
}

/// An open request.
#[derive(Debug)]
pub(super) struct Open(Arc<Activity>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.send_modify(|now| {
            now.requests = now.requests.saturating_sub(1);
            now.since = Instant::now();
        });
    }
}

/// The body of an answer, whose request is open until it has gone.
pub(super) struct Answering {
    pub(super) body: Body,
    pub(super) _open: Open,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_quiet_when_no_request_is_open_for_long_enough() {
        let activity = Activity::new();
        let start = Instant::now();
        activity.quiet(HEAD, IDLE).await;
        assert_eq!(start.elapsed().as_secs(), 10);

        let (one, other) = (activity.begin(), activity.begin());
        let again = Arc::clone(&activity);
        let quiet = tokio::spawn(async move {
            again.quiet(HEAD, IDLE).await;
            Instant::now()
        });
        tokio::time::sleep(Duration::from_secs(100_000)).await;
        drop(one);
        tokio::time::sleep(Duration::from_secs(100_000)).await;
        drop(other);
        let end = Instant::now();
        assert_eq!((quiet.await.unwrap() - end).as_secs(), 60);
    }
}
