//! Lines of JSON with a code in front of each, as the AI SDK streams them (`0:"Hel"`; vercel/ai,
//! packages/ui-utils/src/data-stream-parts.ts, in versions 3 and 4). They are typed `text/plain`.
//!
//! A string is a piece of the text of its code, and an object or a list what an event's data is in an
//! event stream. What is no such line is plain text, line by line.

use super::WalkError;
use super::entry_writer::EntryWriter;
use super::held_line::HeldLine;
use super::stream_event;
use super::texts::{Id, Owner, Texts};
use super::walk::{Job, Walk};
use super::writing::Writing;

/// The text of lines that have no code.
const PLAIN: Id = [0; 32];

/// Whether a body that begins with these bytes is in such lines; `None` where that is open.
pub(super) fn begins(bytes: &[u8]) -> Option<bool> {
    let is_code = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    match bytes {
        [] => None,
        [code] => (!is_code(*code)).then_some(false),
        [_, mark] => (*mark != b':').then_some(false),
        [code, mark, first, ..] => {
            Some(is_code(*code) && *mark == b':' && matches!(first, b'"' | b'{' | b'['))
        }
    }
}

/// Masks such lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CodedLines {
    /// The line whose end has not come.
    line: HeldLine,
    texts: Texts,
}

impl Walk for CodedLines {
    fn push(&mut self, mut piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let (line, later) = self.line.take(piece, job)?;
            piece = later;
            if let Some(line) = line {
                self.end_line(&line, job)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let line = self.line.last();
        let last = self.end_line(&line, job);
        self.texts.finish(job.mask, job.found, |_| true);
        self.texts.release(job.mask, job.found, job.out);
        last
    }

    fn held(&self) -> usize {
        self.line.len() + self.texts.pending.size()
    }
}

impl CodedLines {
    fn end_line(&mut self, line: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let end = line.trim_ascii_end().len();
        let coded = begins(line) == Some(true);
        let payload = line.get(2..end).filter(|_| coded).unwrap_or_default();
        let read = stream_event::read(payload, (job.mask, job.layout))?;
        let payload = read.or_else(|| stream_event::read_string(payload, true));
        // What stands at one place is another text in lines of another code.
        let code = line.get(..1).unwrap_or_default();
        let payload = payload.map(|payload| payload.of_kind(code));
        let mut writer = EntryWriter::new(&mut self.texts, job.mask, job.found, line);
        match &payload {
            Some(payload) => {
                for segment in &payload.segments {
                    let range = (segment.start + 2, segment.end + 2);
                    writer.segment(range, segment.kind, payload);
                }
            }
            None => writer.piece((0, line.len()), (&PLAIN, Owner::default()), Writing::Raw),
        }
        writer.end();
        let ends = payload.map(|payload| payload.ends).unwrap_or_default();
        if !ends.is_empty() {
            self.texts.finish(job.mask, job.found, |owner| {
                ends.iter().any(|end| end.ends(owner))
            });
        }
        self.texts.release(job.mask, job.found, job.out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::tests::{mask, masked_text};

    fn lines(body: &str) -> String {
        masked_text(&mask(), Format::Text, body)
    }

    #[test]
    fn the_texts_of_coded_lines_go_on() {
        assert_eq!(
            lines(concat!(
                "f:{\"messageId\":\"m-1\"}\n",
                "0:\"ask tom.\"\n",
                "g:\"ring +1 415-\"\n",
                "0:\"baker\\u0040mill.exam\"\n",
                "0:\"ple \\\"ok\\\" \"\n",
                "g:\"555-0172 now\"\n",
                "b:{\"toolCallId\":\"c-1\",\"toolName\":\"send\"}\n",
                "c:{\"toolCallId\":\"c-1\",\"argsTextDelta\":\"{\\\"card\\\":41111111\"}\n",
                "c:{\"toolCallId\":\"c-1\",\"argsTextDelta\":\"11111111}\"}\n",
                "9:{\"toolCallId\":\"c-1\",\"toolName\":\"send\",\"args\":{\"to\":\"tom@mill.example\"}}\r\n",
                "d:{\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":1}}\n",
            )),
            concat!(
                "f:{\"messageId\":\"m-1\"}\n",
                "0:\"ask [EMAIL]\"\n",
                "g:\"ring [PHONE]\"\n",
                "0:\"\"\n",
                "0:\" \\\"ok\\\" \"\n",
                "g:\" now\"\n",
                "b:{\"toolCallId\":\"c-1\",\"toolName\":\"send\"}\n",
                "c:{\"toolCallId\":\"c-1\",\"argsTextDelta\":\"{\\\"card\\\":\\\"[CREDIT_CARD]\\\"\"}\n",
                "c:{\"toolCallId\":\"c-1\",\"argsTextDelta\":\"}\"}\n",
                "9:{\"toolCallId\":\"c-1\",\"toolName\":\"send\",\"args\":{\"to\":\"[EMAIL]\"}}\r\n",
                "d:{\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":1}}\n",
            )
        );
    }

    #[test]
    fn what_only_begins_like_them_is_text() {
        for (text, masked) in [
            (
                "0:\"unended bob@example.com\nand al@example.com",
                "0:\"unended [EMAIL]\nand [EMAIL]",
            ),
            ("a: bob@example.com", "a: [EMAIL]"),
            ("5:00 call bob@example.com", "5:00 call [EMAIL]"),
            ("0:\"x\"\nplain bob@exam", "0:\"x\"\nplain bob@exam"),
            ("0", "0"),
            ("", ""),
            ("0:\"", "0:\""),
        ] {
            assert_eq!(lines(text), masked);
        }
    }
}
