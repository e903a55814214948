//! A body, run through everything that a policy's masks say about it.
//!
//! What is to be changed, what is only counted and what waits for a person are searched for
//! separately, so that a match that is only counted never hides one to be masked. Restoring comes
//! last, so that no mask removes what was restored.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{
    CompiledMask, DetectorError, Format, Framing, Originals, Secrets, Trailer, WalkError, Walker,
};
use crate::policy::{FieldRules, Options, Plan};

/// What a plan looks for, compiled.
#[derive(Debug, Default)]
pub struct Masks {
    /// What changes the body; `None` if nothing does.
    change: Option<CompiledMask>,
    /// Which of its detectors end the body.
    cuts: Vec<usize>,
    /// What is only counted.
    alerts: Option<CompiledMask>,
    /// What waits for a person.
    gate: Option<CompiledMask>,
    /// What else the plan does.
    options: Options,
}

impl Masks {
    /// Compiles a plan.
    ///
    /// # Errors
    /// What [`CompiledMask::new`] refuses.
    pub fn new(plan: &Plan) -> Result<Self, DetectorError> {
        Self::guarding(plan, None)
    }

    /// Compiles a plan that, where it changes bodies, besides writes over the guard's own secrets.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn guarding(plan: &Plan, secrets: Option<&Rc<Secrets>>) -> Result<Self, DetectorError> {
        // Fields are edited in what is sent; what is only looked at is looked at as it came.
        let looking = Options {
            fields: FieldRules::default(),
            ..plan.options.clone()
        };
        let some = |detections: &[_]| match detections {
            [] => Ok(None),
            _ => CompiledMask::new(detections).map(|mask| Some(mask.with(&looking))),
        };
        let changes = !plan.detections.is_empty() || !plan.options.fields.is_empty();
        Ok(Self {
            change: changes
                .then(|| CompiledMask::guarding(&plan.detections, secrets))
                .transpose()?
                .map(|mask| mask.with(&plan.options)),
            cuts: plan.cuts.clone(),
            alerts: some(&plan.alerts)?,
            gate: some(&plan.gate.detections)?,
            options: plan.options.clone(),
        })
    }

    /// Whether bodies are changed, and with that guarded, too ([`Self::guarding`]).
    #[must_use]
    pub fn may_change(&self) -> bool {
        self.change.is_some()
    }

    /// Whether bodies are only looked at: they pass as they are, whatever is found.
    #[must_use]
    pub fn only_count(&self) -> bool {
        self.change.is_none() && self.gate.is_none()
    }

    /// Whether a match may end the body.
    #[must_use]
    pub fn may_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// Whether a match may make the body wait for a person.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.gate.is_some()
    }

    /// What else the plan does.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// From now on, pseudonyms are made with this key.
    pub fn set_pseudonym_key(&self, key: &[u8]) {
        if let Some(mask) = &self.change {
            mask.matcher().set_pseudonym_key(key);
        }
    }
}

/// Why a body was stopped. Nothing that the last piece produced may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It can't be masked.
    Walk(WalkError),
    /// It has a match of a detector that ends it.
    Cut,
}

impl From<WalkError> for Stop {
    fn from(error: WalkError) -> Self {
        Self::Walk(error)
    }
}

/// How often each detector matched, by its name.
pub type Matches = BTreeMap<String, u64>;

/// One body on its way through the masks of a plan.
#[derive(Debug)]
pub struct Pass {
    change: Option<Walker>,
    alerts: Option<Walker>,
    gate: Option<Walker>,
    /// What would wait for a person is masked.
    decided: bool,
    restore: Option<(CompiledMask, Walker)>,
    /// How many bytes of JSON came in front of tensors, as the head said.
    json_bytes: Option<usize>,
}

impl Pass {
    /// For a body that has not begun. In an answer, `originals` are put back.
    #[must_use]
    pub fn new(
        masks: &Masks,
        (format, framing): (Format, Framing),
        originals: Option<&Rc<Originals>>,
    ) -> Self {
        let new = || Walker::framed(format, framing);
        let walker = |mask: &Option<CompiledMask>| mask.as_ref().map(|_| new());
        Self {
            change: walker(&masks.change),
            alerts: walker(&masks.alerts),
            gate: walker(&masks.gate),
            decided: false,
            restore: originals
                .filter(|originals| !originals.is_empty())
                .map(|originals| (CompiledMask::restoring(originals), new())),
            json_bytes: match format {
                Format::Tensors(frame) => Some(frame.json_bytes),
                _ => None,
            },
        }
    }

    /// For a request's body that has not begun. It keeps what its pseudonyms stand for
    /// ([`Self::take_originals`]).
    #[must_use]
    pub fn of_request(masks: &Masks, form: (Format, Framing)) -> Self {
        let pass = Self::new(masks, form, None);
        Self {
            change: pass.change.map(Walker::noting),
            ..pass
        }
    }

    /// For the value of a trailer. Nobody is asked about one: what would wait for a person is
    /// masked.
    #[must_use]
    pub fn of_trailer(masks: &Masks, trailer: Trailer, originals: Option<&Rc<Originals>>) -> Self {
        let form = (Format::Trailer(trailer), Framing::default());
        Self {
            decided: true,
            ..Self::new(masks, form, originals)
        }
    }

    /// Takes the next piece of the body and appends what may be sent to `out`.
    ///
    /// # Errors
    /// The body ends here.
    pub fn push(&mut self, masks: &Masks, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        self.take(masks, piece, false, out)
    }

    /// The body ends here, behind its last byte or at its trailers.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn finish(&mut self, masks: &Masks, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.take(masks, b"", true, out)
    }

    fn take(
        &mut self,
        masks: &Masks,
        piece: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let mut unused = Vec::new();
        if let (Some(walker), Some(mask)) = (&mut self.alerts, &masks.alerts) {
            // What can't be read is counted as far as it can be; to refuse it is for the others.
            let _ = walk(walker, mask, piece, last, &mut unused);
            unused.clear();
        }
        let mut decided = Vec::new();
        let mut piece = piece;
        if let (Some(walker), Some(mask)) = (&mut self.gate, &masks.gate) {
            walk(walker, mask, piece, last, &mut decided)?;
            if self.decided {
                piece = &decided;
            }
        }
        let Some((originals, restore)) = &mut self.restore else {
            return change(self.change.as_mut(), masks, piece, last, out);
        };
        let mut masked = Vec::new();
        change(self.change.as_mut(), masks, piece, last, &mut masked)?;
        if let Some(bytes) = self.change.as_ref().and_then(Walker::json_bytes) {
            restore.set_json_bytes(bytes);
        }
        Ok(walk(restore, originals, &masked, last, out)?)
    }

    /// How many bytes of JSON stand in front of the tensors in a body of [`Format::Tensors`], as it is
    /// written. It is known once something is written.
    #[must_use]
    pub fn json_bytes(&self) -> Option<usize> {
        let restore = self.restore.as_ref().map(|(_, walker)| walker);
        match restore.or(self.change.as_ref()) {
            Some(walker) => walker.json_bytes(),
            None => self.json_bytes,
        }
    }

    /// What the pseudonyms of a request stand for, as far as it has been masked.
    pub fn take_originals(&mut self) -> Originals {
        self.change
            .as_mut()
            .map(Walker::take_originals)
            .unwrap_or_default()
    }

    /// Whether what has come shows that the body is what its head says ([`Walker::is_proven`]), for
    /// whatever may end it.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.first().is_none_or(Walker::is_proven)
    }

    /// As [`Walker::turned_out`].
    #[must_use]
    pub fn turned_out(&self) -> Option<Format> {
        self.first().and_then(Walker::turned_out)
    }

    /// What may be the first to end the body.
    fn first(&self) -> Option<&Walker> {
        let restore = self.restore.as_ref().map(|(_, walker)| walker);
        self.change.as_ref().or(restore)
    }

    /// The bytes of the body that are held back now.
    #[must_use]
    pub fn held(&self) -> usize {
        let change = self.change.as_ref().map_or(0, Walker::held);
        let restore = self.restore.as_ref().map_or(0, |(_, walker)| walker.held());
        change.saturating_add(restore)
    }

    /// The bytes of the body that are held at all, by whatever looks at it: what
    /// [`Self::held`] counts, and what is held to be looked at alone.
    #[must_use]
    pub fn buffered(&self) -> usize {
        let looking = [&self.alerts, &self.gate].into_iter().flatten();
        looking.fold(self.held(), |sum, walker| sum.saturating_add(walker.held()))
    }

    /// What was found that waits for a person.
    #[must_use]
    pub fn gated(&self, masks: &Masks) -> Matches {
        by_name(masks.gate.as_ref(), self.gate.as_ref())
    }

    /// What was found that is masked, or waits for a person.
    #[must_use]
    pub fn matches(&self, masks: &Masks) -> Matches {
        let mut matches = by_name(masks.change.as_ref(), self.change.as_ref());
        matches.extend(self.gated(masks));
        matches
    }

    /// What was found that is only counted.
    #[must_use]
    pub fn alerts(&self, masks: &Masks) -> Matches {
        by_name(masks.alerts.as_ref(), self.alerts.as_ref())
    }

    /// How many pseudonyms have been given their values back.
    #[must_use]
    pub fn restored(&self) -> u64 {
        self.restore
            .as_ref()
            .map_or(0, |(_, walker)| walker.counts().total())
    }
}

fn change(
    walker: Option<&mut Walker>,
    masks: &Masks,
    piece: &[u8],
    last: bool,
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    let (Some(walker), Some(mask)) = (walker, &masks.change) else {
        out.extend_from_slice(piece);
        return Ok(());
    };
    let walked = walk(walker, mask, piece, last, out);
    if masks
        .cuts
        .iter()
        .any(|index| walker.counts().get(*index) > 0)
    {
        return Err(Stop::Cut);
    }
    Ok(walked?)
}

fn walk(
    walker: &mut Walker,
    mask: &CompiledMask,
    piece: &[u8],
    last: bool,
    out: &mut Vec<u8>,
) -> Result<(), WalkError> {
    walker.push(mask, piece, out)?;
    if last {
        walker.finish(mask, out)?;
    }
    Ok(())
}

fn by_name(mask: Option<&CompiledMask>, walker: Option<&Walker>) -> Matches {
    let (Some(mask), Some(walker)) = (mask, walker) else {
        return Matches::new();
    };
    let counts = walker.counts().iter().enumerate();
    let counts = counts.filter(|(_, count)| *count > 0);
    base::sort::inserted(counts.map(|(detector, count)| {
        let name = mask.matcher().detector_name(detector);
        (name.to_owned(), count)
    }))
}
