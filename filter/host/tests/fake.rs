//! A host that plays Envoy's part, notes every call, and refuses those that it is told to.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::HashMap;
use std::rc::Rc;

use super::NOW;
use crate::exchange::Direction;
use crate::host::api::{Buffer, CallEnd, Host, HttpCall, Level, LocalReply, Map, Pairs, Status};

type Headers = Vec<(String, Vec<u8>)>;

#[derive(Default)]
struct State {
    /// Names of the calls since the last beginning.
    calls: Vec<&'static str>,
    /// The place of the call that is refused.
    refused: Option<usize>,
    /// Clusters that there are not.
    no_clusters: bool,
    now: Duration,
    /// Properties of the stream, by the last part of their path.
    properties: HashMap<&'static str, Vec<u8>>,
    /// Bytes of the request's body that came to Envoy.
    request_bytes: u64,
    /// The current context.
    context: u32,
    /// The context of the last call.
    caller: u32,
    /// What it calls back now, and what it called back when the last call was made.
    called_back: u32,
    answers_to: u32,
    headers: HashMap<u32, Headers>,
    bodies: HashMap<u32, Vec<u8>>,
    /// Lines of the log.
    lines: Vec<String>,
    /// Statuses of replies.
    replies: Vec<u16>,
    resumed: Vec<Direction>,
    period: u32,
    tokens: u32,
    /// The last call: its cluster and the length of its body.
    called: String,
    called_with: Vec<u8>,
    shared: HashMap<String, (Vec<u8>, u32)>,
    record: Option<String>,
    metrics: Vec<Metric>,
}

/// A counter or a gauge.
struct Metric {
    name: String,
    is_gauge: bool,
    value: u64,
}

#[derive(Clone)]
pub(super) struct FakeHost(Rc<RefCell<State>>);

fn body_of(direction: Direction) -> u32 {
    match direction {
        Direction::Request => Buffer::RequestBody as u32,
        Direction::Response => Buffer::ResponseBody as u32,
    }
}

impl FakeHost {
    pub(super) fn new() -> Self {
        let state = State {
            now: Duration::from_secs(NOW),
            ..State::default()
        };
        Self(Rc::new(RefCell::new(state)))
    }

    /// The log so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.borrow().lines.clone()
    }

    /// Forgets the calls so far.
    pub(super) fn begin(&self) {
        self.0.borrow_mut().calls.clear();
    }

    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.0.borrow().calls.clone()
    }

    pub(super) fn refuse(&self, place: usize) {
        self.0.borrow_mut().refused = Some(place);
    }

    pub(super) fn without_clusters(&self) {
        self.0.borrow_mut().no_clusters = true;
    }

    pub(super) fn replies(&self) -> usize {
        self.0.borrow().replies.len()
    }

    pub(super) fn statuses(&self) -> Vec<u16> {
        self.0.borrow().replies.clone()
    }

    pub(super) fn pass_time(&self, time: Duration) {
        self.0.borrow_mut().now += time;
    }

    pub(super) fn set_property(&self, name: &'static str, value: u64) {
        let value = value.to_le_bytes().to_vec();
        self.0.borrow_mut().properties.insert(name, value);
    }

    pub(super) fn set_text(&self, name: &'static str, value: &str) {
        let value = value.as_bytes().to_vec();
        self.0.borrow_mut().properties.insert(name, value);
    }

    /// Bytes of the request's body came to Envoy, which keeps them to itself.
    pub(super) fn keep_of_request(&self, bytes: u64) {
        self.0.borrow_mut().request_bytes += bytes;
    }

    /// The context to which the last call belongs.
    pub(super) fn caller(&self) -> u32 {
        self.0.borrow().caller
    }

    /// Envoy calls a context back.
    pub(super) fn call_back(&self, context: u32) {
        let mut state = self.0.borrow_mut();
        state.context = context;
        state.called_back = context;
    }

    /// To whom the SDK brings the answer to the last call: whoever was called back when it was made, for
    /// whomever it was.
    pub(super) fn answers_to(&self) -> u32 {
        self.0.borrow().answers_to
    }

    /// The body of the last call.
    pub(super) fn called_with(&self) -> Vec<u8> {
        self.0.borrow().called_with.clone()
    }

    pub(super) fn called(&self) -> String {
        self.0.borrow().called.clone()
    }

    pub(super) fn period(&self) -> u32 {
        self.0.borrow().period
    }

    pub(super) fn record(&self) -> Option<String> {
        self.0.borrow().record.clone()
    }

    pub(super) fn counters(&self) -> Vec<(String, u64)> {
        let state = self.0.borrow();
        let counters = state.metrics.iter().filter(|metric| !metric.is_gauge);
        counters.map(|one| (one.name.clone(), one.value)).collect()
    }

    /// What a gauge has, if there is one of this name.
    pub(super) fn gauge_named(&self, name: &str) -> Option<u64> {
        let state = self.0.borrow();
        let mut gauges = state.metrics.iter().filter(|metric| metric.is_gauge);
        gauges.find(|one| one.name == name).map(|one| one.value)
    }

    fn define(&self, name: &str, is_gauge: bool) -> u32 {
        let mut state = self.0.borrow_mut();
        let known = state.metrics.iter().position(|one| one.name == name);
        let number = known.unwrap_or_else(|| {
            state.metrics.push(Metric {
                name: name.to_owned(),
                is_gauge,
                value: 0,
            });
            state.metrics.len() - 1
        });
        u32::try_from(number).unwrap()
    }

    /// Whether the request has a header.
    pub(super) fn has_header(&self, name: &str) -> bool {
        let state = self.0.borrow();
        let mut headers = state
            .headers
            .get(&(Map::Request as u32))
            .into_iter()
            .flatten();
        headers.any(|(one, _)| one == name)
    }

    pub(super) fn take_resumed(&self) -> Vec<Direction> {
        core::mem::take(&mut self.0.borrow_mut().resumed)
    }

    pub(super) fn set_headers(&self, direction: Direction, headers: &[(&str, &str)]) {
        let map = match direction {
            Direction::Request => Map::Request,
            Direction::Response => Map::Response,
        };
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        self.0.borrow_mut().headers.insert(map as u32, headers);
    }

    /// Puts a piece behind what is held, and says how much there is.
    pub(super) fn fill(&self, direction: Direction, piece: &str) -> usize {
        let mut state = self.0.borrow_mut();
        let body = state.bodies.entry(body_of(direction)).or_default();
        body.extend(piece.as_bytes());
        body.len()
    }

    pub(super) fn drain(&self, direction: Direction) -> Vec<u8> {
        let mut state = self.0.borrow_mut();
        state.bodies.remove(&body_of(direction)).unwrap_or_default()
    }

    /// Brings the answer to the last call.
    pub(super) fn answer(&self, status: &str, body: &[u8]) -> CallEnd {
        self.answer_with(status, body, &[])
    }

    /// Adds to the head of the answer that was brought last.
    pub(super) fn add_to_answer(&self, headers: &[(&str, &str)]) {
        let mut state = self.0.borrow_mut();
        let head = state.headers.entry(Map::CallResponse as u32).or_default();
        let owned = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        head.extend(owned);
    }

    pub(super) fn answer_with(
        &self,
        status: &str,
        body: &[u8],
        trailers: &[(&str, &str)],
    ) -> CallEnd {
        let mut state = self.0.borrow_mut();
        let status = vec![(":status".to_owned(), status.as_bytes().to_vec())];
        state.headers.insert(Map::CallResponse as u32, status);
        let owned = trailers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        state
            .headers
            .insert(Map::CallTrailers as u32, owned.collect());
        state
            .bodies
            .insert(Buffer::CallResponseBody as u32, body.to_vec());
        CallEnd {
            token: state.tokens,
            headers: 1,
            bytes: body.len(),
            trailers: trailers.len(),
        }
    }

    fn enter(&self, name: &'static str) -> Result<(), Status> {
        let mut state = self.0.borrow_mut();
        state.calls.push(name);
        if state.refused == Some(state.calls.len() - 1) {
            return Err(Status(10));
        }
        Ok(())
    }
}

impl Host for FakeHost {
    fn log(&self, _: Level, line: &str) {
        let _ = self.enter("log");
        self.0.borrow_mut().lines.push(line.to_owned());
    }

    fn now(&self) -> Result<Duration, Status> {
        self.enter("now")?;
        Ok(self.0.borrow().now)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Status> {
        self.enter("random")?;
        bytes.fill(5);
        Ok(())
    }

    fn memory(&self) -> u64 {
        1 << 20
    }

    fn headers(&self, map: Map) -> Result<Pairs, Status> {
        self.enter("headers")?;
        let state = self.0.borrow();
        let headers = state.headers.get(&(map as u32));
        let headers = headers.map(Vec::as_slice).unwrap_or_default();
        let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let mut bytes = number(headers.len()).to_vec();
        for (name, value) in headers {
            bytes.extend(number(name.len()));
            bytes.extend(number(value.len()));
        }
        for (name, value) in headers {
            bytes.extend(name.as_bytes());
            bytes.push(0);
            bytes.extend(value);
            bytes.push(0);
        }
        Ok(Pairs(bytes))
    }

    fn header(&self, map: Map, name: &str) -> Result<Vec<u8>, Status> {
        self.enter("header")?;
        let state = self.0.borrow();
        let mut headers = state.headers.get(&(map as u32)).into_iter().flatten();
        let found = headers.find(|(one, _)| one == name);
        Ok(found.map(|(_, value)| value.clone()).unwrap_or_default())
    }

    fn set_header(&self, map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
        self.enter("set_header")?;
        let mut state = self.0.borrow_mut();
        let headers = state.headers.entry(map as u32).or_default();
        headers.retain(|(one, _)| one != name);
        headers.push((name.to_owned(), value.to_vec()));
        Ok(())
    }

    fn remove_header(&self, map: Map, name: &str) -> Result<(), Status> {
        self.enter("remove_header")?;
        let mut state = self.0.borrow_mut();
        let headers = state.headers.entry(map as u32).or_default();
        headers.retain(|(one, _)| one != name);
        Ok(())
    }

    fn buffer(&self, kind: Buffer, start: usize, length: usize) -> Result<Vec<u8>, Status> {
        if length == 0 {
            return Ok(Vec::new());
        }
        self.enter("buffer")?;
        let state = self.0.borrow();
        let body = state.bodies.get(&(kind as u32)).ok_or(Status::NOT_FOUND)?;
        Ok(body.iter().skip(start).take(length).copied().collect())
    }

    fn replace_buffer(&self, kind: Buffer, length: usize, bytes: &[u8]) -> Result<(), Status> {
        self.enter("replace_buffer")?;
        let mut state = self.0.borrow_mut();
        let body = state.bodies.entry(kind as u32).or_default();
        let length = length.min(body.len());
        body.splice(..length, bytes.iter().copied());
        Ok(())
    }

    fn reply(&self, reply: &LocalReply<'_>) -> Result<(), Status> {
        self.enter("reply")?;
        let mut state = self.0.borrow_mut();
        assert!(reply.status >= 400 && (1..=16).contains(&reply.grpc_status));
        for (name, value) in reply.headers {
            assert!(!value.contains(char::is_control), "{name}: {value}");
        }
        assert!(reply.status == 502 || !reply.body.is_empty());
        state.replies.push(reply.status);
        Ok(())
    }

    fn resume(&self, direction: Direction) -> Result<(), Status> {
        self.enter("resume")?;
        self.0.borrow_mut().resumed.push(direction);
        Ok(())
    }

    fn act_for(&self, context: u32) -> Result<(), Status> {
        self.enter("act_for")?;
        self.0.borrow_mut().context = context;
        Ok(())
    }

    fn tick_every(&self, milliseconds: u32) -> Result<(), Status> {
        self.enter("tick_every")?;
        self.0.borrow_mut().period = milliseconds;
        Ok(())
    }

    fn done(&self) -> Result<(), Status> {
        self.enter("done")
    }

    fn call(&self, call: HttpCall<'_>) -> Result<u32, Status> {
        self.enter("call")?;
        assert!(!call.timeout.is_zero(), "a call without a limit");
        for needed in [":method", ":path", ":authority"] {
            let found = call.headers.iter().any(|(name, _)| *name == needed);
            assert!(found, "a call without {needed}");
        }
        let mut state = self.0.borrow_mut();
        state.caller = state.context;
        state.answers_to = state.called_back;
        state.called_with = call.body.unwrap_or_default().to_vec();
        state.called = format!(
            "{} {} bytes",
            call.cluster,
            call.body.unwrap_or_default().len()
        );
        if state.no_clusters {
            return Err(Status(2));
        }
        state.tokens += 1;
        Ok(state.tokens)
    }

    fn property(&self, path: &[&str]) -> Result<Vec<u8>, Status> {
        self.enter("property")?;
        let state = self.0.borrow();
        let name = path.last().copied().unwrap_or_default();
        if name == "total_size" {
            let head = state.headers.get(&(Map::Request as u32));
            let head = head.into_iter().flatten();
            let head: usize = head.map(|(name, value)| name.len() + value.len()).sum();
            let total = u64::try_from(head).unwrap() + state.request_bytes;
            return Ok(total.to_le_bytes().to_vec());
        }
        let value = state.properties.get(name);
        value.cloned().ok_or(Status::NOT_FOUND)
    }

    fn set_state(&self, _: &str, value: &[u8]) -> Result<(), Status> {
        self.enter("set_state")?;
        self.0.borrow_mut().record = String::from_utf8(value.to_vec()).ok();
        Ok(())
    }

    fn shared(&self, key: &str) -> Result<(Vec<u8>, u32), Status> {
        self.enter("shared")?;
        let state = self.0.borrow();
        state.shared.get(key).cloned().ok_or(Status::NOT_FOUND)
    }

    fn set_shared(&self, key: &str, value: &[u8], change: u32) -> Result<(), Status> {
        self.enter("set_shared")?;
        let mut state = self.0.borrow_mut();
        let now = state.shared.get(key).map_or(0, |(_, change)| *change);
        if change != 0 && change != now {
            return Err(Status::CAS_MISMATCH);
        }
        let value = (value.to_vec(), now + 1);
        state.shared.insert(key.to_owned(), value);
        Ok(())
    }

    fn counter(&self, name: &str) -> Result<u32, Status> {
        self.enter("counter")?;
        Ok(self.define(name, false))
    }

    fn change(&self, metric: u32, by: i64) -> Result<(), Status> {
        self.enter("change")?;
        let value = &mut self.0.borrow_mut().metrics[usize::try_from(metric).unwrap()].value;
        *value = value.checked_add_signed(by).unwrap();
        Ok(())
    }

    fn gauge(&self, name: &str) -> Result<u32, Status> {
        self.enter("gauge")?;
        Ok(self.define(name, true))
    }

    fn histogram(&self, name: &str) -> Result<u32, Status> {
        self.enter("histogram")?;
        Ok(self.define(name, true))
    }

    fn metric(&self, _: u32) -> Result<u64, Status> {
        self.enter("metric")?;
        Ok(0)
    }

    fn set_metric(&self, metric: u32, value: u64) -> Result<(), Status> {
        self.enter("set_metric")?;
        self.0.borrow_mut().metrics[usize::try_from(metric).unwrap()].value = value;
        Ok(())
    }
}
