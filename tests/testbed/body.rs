//! Bodies that are sent in steps which a test decides.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use tokio::sync::{Semaphore, mpsc};

/// How much of a [`Step::Fill`] is sent at a time.
const FILL_PIECE: usize = 64 * 1024;

/// One step of sending a body.
#[derive(Debug, Clone)]
pub enum Step {
    /// These bytes: with HTTP/2 a DATA frame of their own, with HTTP/1 and no
    /// content-length a chunk of their own.
    Data(Bytes),
    /// This byte so many times, made while it is sent.
    Fill(u8, u64),
    /// Nothing more before the gate has let this step through.
    Wait(Gate),
    /// Trailers, which end the body (HTTP/2; or HTTP/1 where the peer takes them).
    Trailers(Vec<(String, String)>),
    /// The connection (HTTP/2: the stream) is broken off here.
    Cut,
}

impl Step {
    /// A step that sends these bytes.
    pub fn data(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Data(Bytes::from(bytes.into()))
    }
}

/// Cuts bytes into steps of so many bytes each.
#[must_use]
pub fn split(bytes: &[u8], size: usize) -> Vec<Step> {
    bytes.chunks(size.max(1)).map(Step::data).collect()
}

/// Holds back the steps that wait for it. Each [`Gate::open`] lets that many of
/// them through, in their order.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets the next `steps` steps through.
    pub fn open(&self, steps: usize) {
        self.0.add_permits(steps);
    }

    pub(crate) async fn pass(&self) {
        // The semaphore is never closed, so there is no other outcome.
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// A body that a task feeds step by step.
#[derive(Debug)]
pub(crate) struct Stepped {
    frames: mpsc::Receiver<Result<Frame<Bytes>, Cut>>,
    empty: bool,
}

/// Why a body ended early: a test wanted it so.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut off on purpose")
    }
}

impl std::error::Error for Cut {}

impl Stepped {
    /// A body of these steps. Must be called inside a runtime.
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let empty = steps.is_empty();
        let mut body = Self::fed(|sender| async move {
            for step in steps {
                if sender.send(step).await.is_none() {
                    break;
                }
            }
        });
        body.empty = empty;
        body
    }

    /// A body whose steps a task decides as it goes. Must be called inside a
    /// runtime.
    pub(crate) fn fed<F>(feed: impl FnOnce(StepSender) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, frames) = mpsc::channel(1);
        tokio::spawn(feed(StepSender(sender)));
        Self {
            frames,
            empty: false,
        }
    }
}

impl Body for Stepped {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.frames.poll_recv(context)
    }

    fn is_end_stream(&self) -> bool {
        self.empty
    }

    fn size_hint(&self) -> SizeHint {
        match self.empty {
            true => SizeHint::with_exact(0),
            false => SizeHint::default(),
        }
    }
}

/// Where a body's steps go.
#[derive(Debug)]
pub(crate) struct StepSender(mpsc::Sender<Result<Frame<Bytes>, Cut>>);

impl StepSender {
    /// Takes one step. `None` when the body ended with it, or when the receiver
    /// is gone and nobody is left to send to.
    pub(crate) async fn send(&self, step: Step) -> Option<()> {
        match step {
            Step::Data(bytes) => self.frame(Frame::data(bytes)).await,
            Step::Fill(byte, count) => self.fill(byte, count).await,
            Step::Wait(gate) => tokio::select! {
                () = gate.pass() => Some(()),
                () = self.0.closed() => None,
            },
            Step::Trailers(fields) => {
                self.frame(Frame::trailers(map(&fields))).await?;
                None
            }
            Step::Cut => {
                self.0.send(Err(Cut)).await.ok()?;
                None
            }
        }
    }

    async fn frame(&self, frame: Frame<Bytes>) -> Option<()> {
        self.0.send(Ok(frame)).await.ok()
    }

    async fn fill(&self, byte: u8, count: u64) -> Option<()> {
        let piece = Bytes::from(vec![byte; FILL_PIECE]);
        let mut left = count;
        while left > 0 {
            let take = usize::try_from(left).unwrap_or(FILL_PIECE).min(FILL_PIECE);
            self.frame(Frame::data(piece.slice(..take))).await?;
            left = left.saturating_sub(take as u64);
        }
        Some(())
    }
}

/// A header map; a name or value that HTTP does not allow is left out.
pub(crate) fn map(fields: &[(String, impl AsRef<[u8]>)]) -> HeaderMap {
    fields
        .iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(value.as_ref()).ok()?;
            Some((name, value))
        })
        .collect()
}
