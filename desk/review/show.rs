//! `portcullis approvals show`.

use std::io::Write;

use serde_json::Value;

use super::DONE;
use super::ahead::calendar;
use super::failed::{Failed, Status};
use super::list::what;
use super::member::{ago, any, counted, id, left, list, text, texts};
use super::remote::Remote;
use super::span::span;
use super::table::json_line;
use crate::plain::plain;

/// The width of the names in front.
const NAMES: usize = 11;

/// Shows all of one approval.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn show(desk: &Remote, of: &str, out: &mut dyn Write) -> Status {
    let said = desk.get(&format!("/v1/approvals/{}", id(of)?))?;
    if desk.json {
        json_line(out, &said.value)?;
        return Ok(DONE);
    }
    let mut page = Page {
        approval: &said.value,
        at: said.at,
        shown: Vec::new(),
        out,
    };
    page.write()?;
    Ok(DONE)
}

/// An approval on its way to the terminal.
struct Page<'p> {
    approval: &'p Value,
    at: i64,
    /// The members that were shown; the others follow by their names.
    shown: Vec<&'static str>,
    out: &'p mut dyn Write,
}

impl Page<'_> {
    fn write(&mut self) -> Result<(), Failed> {
        self.state()?;
        self.asker()?;
        self.request()?;
        self.judged()?;
        self.history()?;
        self.others()
    }

    /// Writes a line, unless there is nothing to say.
    fn line(&mut self, name: &str, said: &str) -> Result<(), Failed> {
        if !said.is_empty() {
            writeln!(self.out, "{name:NAMES$} {}", plain(said))?;
        }
        Ok(())
    }

    /// A member's text, which counts as shown.
    fn take(&mut self, name: &'static str) -> String {
        self.shown.push(name);
        any(self.approval, name)
    }

    /// A list's texts, which count as shown.
    fn take_texts(&mut self, name: &'static str) -> String {
        self.shown.push(name);
        texts(self.approval, name)
    }

    /// A member with words around it; nothing if there is none.
    fn around(&mut self, before: &str, name: &'static str, after: &str) -> String {
        match &*self.take(name) {
            "" => String::new(),
            said => format!("{before}{said}{after}"),
        }
    }

    fn state(&mut self) -> Result<(), Failed> {
        let (approval, at) = (self.approval, self.at);
        let (id, state) = (self.take("id"), self.take("state"));
        self.line("Approval", &id)?;
        let is_open = matches!(&*state, "pending" | "approved");
        let end = left(approval, "expires", at).filter(|_| is_open);
        let end = end.map_or(String::new(), |left| format!(", {left} left"));
        self.line("State", &format!("{state}{end}"))?;
        self.shown.extend(["expires", "approvals"]);
        self.line("Approvals", &counted(approval).unwrap_or_default())?;
        for (name, member) in [
            ("Asked", "created"),
            ("Decided", "decided"),
            ("Used", "used"),
        ] {
            let time = self.take(member);
            let ago = ago(approval, member, at).map_or(String::new(), |ago| format!(", {ago} ago"));
            if !time.is_empty() {
                self.line(name, &format!("{time}{ago}"))?;
            }
        }
        let open = approval.get("state").and_then(Value::as_str) == Some("pending");
        let waiting = match &*self.take("waiting") {
            "0" if open => "nobody: the client has gone, and may come back".to_owned(),
            "0" => "nobody".to_owned(),
            other => other.to_owned(),
        };
        self.line("Waiting", &waiting)?;
        let left = granted(approval.get("grant"));
        self.shown.push("grant");
        self.line("Left", &left)
    }

    fn asker(&mut self) -> Result<(), Failed> {
        let subject = self.take("subject");
        let email = self.around(", ", "email", "");
        self.line("Who", &format!("{subject}{email}"))?;
        let issuer = self.take("issuer");
        let provider = self.around(" (", "provider", ")");
        self.line("Issuer", &format!("{issuer}{provider}"))?;
        let groups = self.take_texts("groups");
        self.line("Groups", &groups)?;
        let group = self.around("everybody in the group ", "group", ", but who approves it");
        self.line("For", &group)?;
        let parts = [
            self.take("client"),
            self.around("by the filter ", "filter", ""),
            self.around("ahead of need by ", "requester", ""),
            self.around("route ", "route", ""),
            self.around("cluster ", "cluster", ""),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        self.line("From", &parts.join(", "))
    }

    fn request(&mut self) -> Result<(), Failed> {
        let approval = self.approval;
        self.shown.extend(["operation", "model", "models", "about"]);
        let items = self.around(", ", "items", " items");
        self.line("What", &format!("{}{items}", what(approval)))?;
        let others = self.take_texts("other_models");
        self.line("Also names", &others)?;
        let found = self.take_texts("found");
        self.line("Found", &found)?;
        let purpose = self.take("purpose");
        self.line("Purpose", &purpose)?;
        let (method, host) = (self.take("method"), self.take("host"));
        let (path, query) = (self.take("path"), self.around("?", "query", ""));
        self.line("Request", format!("{method} {host}{path}{query}").trim())?;
        self.shown.extend(["headers", "body"]);
        let headers = approval.get("headers").and_then(Value::as_object);
        for (name, value) in headers.into_iter().flatten() {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            self.line("Header", &format!("{name}: {value}"))?;
        }
        if let Some(body) = approval.get("body").filter(|body| body.is_object()) {
            let size = any(body, "bytes");
            self.line(
                "Body",
                &format!("{size} bytes, SHA-256 {}", any(body, "digest")),
            )?;
            if let Some(text) = body.get("text").and_then(Value::as_str) {
                let more = match body.get("cut").and_then(Value::as_bool) {
                    Some(true) => " ... and more",
                    _ => "",
                };
                self.line("Text", &format!("{text}{more}"))?;
            }
        }
        Ok(())
    }

    fn judged(&mut self) -> Result<(), Failed> {
        let approval = self.approval;
        let rule = self.take("rule");
        let digest = self.around(", SHA-256 ", "rule_digest", "");
        self.line("Rule", &format!("{rule}{digest}"))?;
        self.shown.push("escalate");
        let mut reviewers = self.take_texts("reviewers");
        if let Some(escalate) = approval.get("escalate").filter(|it| it.is_object()) {
            let after = escalate.get("after").and_then(Value::as_i64).map(span);
            let others = texts(escalate, "reviewers");
            let after = after.unwrap_or_default();
            reviewers.push_str(&format!("; if nobody decides within {after} also {others}"));
        }
        self.line("Reviewers", &reviewers)?;
        let reasons = match &*self.take("reasons") {
            "required" => "a decision needs one".to_owned(),
            "optional" => String::new(),
            other => other.to_owned(),
        };
        self.line("Reason", &reasons)?;
        self.shown.push("asks_for");
        let asks_for = granted(approval.get("asks_for"));
        let once = "this request, once within 30 minutes";
        let asks_for = if asks_for.is_empty() { once } else { &asks_for };
        self.line("Would give", asks_for)?;
        self.shown.push("calendar");
        self.line("When", &calendar(approval))
    }

    fn history(&mut self) -> Result<(), Failed> {
        let (approval, at) = (self.approval, self.at);
        self.shown.extend(["decisions", "claims"]);
        for one in list(approval, "decisions") {
            let reviewer = any(one, "reviewer");
            let mut decision = any(one, "decision");
            if let Some(other) = text(one, "on_behalf_of") {
                decision.push_str(&format!(" for {other}"));
            }
            if one.get("break_glass").and_then(Value::as_bool) == Some(true) {
                decision.push_str(", BREAKING THE GLASS");
            }
            let reason =
                text(one, "reason").map_or(String::new(), |reason| format!(": {reason:?}"));
            let ago = ago(one, "time", at).map_or(String::new(), |ago| format!(", {ago} ago"));
            self.line("Decision", &format!("{reviewer}: {decision}{reason}{ago}"))?;
        }
        if list(approval, "decisions").is_empty() {
            let reviewer = self.take("reviewer");
            let reason = self.around(": ", "reason", "");
            self.line("Decision", &format!("{reviewer}{reason}"))?;
        } else {
            self.shown.extend(["reviewer", "reason"]);
        }
        for one in list(approval, "claims") {
            let exchange = any(one, "exchange");
            let ago = ago(one, "time", at).map_or(String::new(), |ago| format!(", {ago} ago"));
            let back = text(one, "given_back");
            let back = back.map_or(String::new(), |why| format!(", given back: {why}"));
            self.line("Use", &format!("exchange {exchange}{ago}{back}"))?;
        }
        Ok(())
    }

    /// What this version has no words for.
    fn others(&mut self) -> Result<(), Failed> {
        let members = self.approval.as_object();
        for (name, value) in members.into_iter().flatten() {
            let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !is_empty && !self.shown.contains(&&**name) {
                let value = any(self.approval, name);
                let name: String = plain(name).chars().take(64).collect();
                self.line(&name, &value)?;
            }
        }
        Ok(())
    }
}

/// What an approval gives, or what is left of it.
fn granted(grant: Option<&Value>) -> String {
    let Some(grant) = grant.filter(|grant| grant.is_object()) else {
        return String::new();
    };
    let seconds = grant.get("for").and_then(Value::as_i64);
    let left = grant.get("left_ms").and_then(Value::as_i64);
    let seconds = seconds.or_else(|| left?.checked_div(1000));
    let time = seconds.map_or(String::new(), |time| format!(" within {}", span(time)));
    let uses = grant.get("uses").or_else(|| grant.get("uses_left"));
    match uses.and_then(Value::as_u64) {
        Some(1) => format!("one use{time}"),
        Some(uses) => format!("{uses} uses{time}"),
        None => format!("any number of uses{time}"),
    }
}
