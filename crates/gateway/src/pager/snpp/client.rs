//! A page goes out: we are the caller of a carrier.

use crate::mail::smtp::Carrier;
use crate::pager::carrier::{Handed, Order};
use crate::pager::limits;
use crate::pager::lines::{Broken, Lines};
use crate::pager::page::Ticket;
use rookery_store::Urgency;

/// What a carrier says to a command.
struct Reply {
    code: u16,
    text: String,
}

impl Reply {
    fn is_fine(&self) -> bool {
        matches!(self.code, 200..=399)
    }

    /// In its own words, for people.
    fn words(&self) -> String {
        format!("The carrier says: {} {}", self.code, self.text.trim_end_matches('.'))
    }
}

/// How far a page has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    /// `SEND` was said.
    Sent,
}

/// A connection to a carrier.
struct Caller {
    lines: Lines,
    stage: Stage,
}

/// Hands a page to the carrier at the other end.
pub async fn page(io: impl Carrier, order: &Order<'_>) -> Handed {
    let mut caller = Caller { lines: Lines::new(io, limits::CARRIER), stage: Stage::Before };
    let handed = caller.page(order).await.unwrap_or_else(|broken| caller.broken(broken));
    if caller.lines.say("QUIT").await.is_ok() {
        caller.lines.line().await.ok();
    }
    caller.lines.close().await;
    handed
}

impl Caller {
    async fn page(&mut self, order: &Order<'_>) -> Result<Handed, Broken> {
        let greeting = self.reply().await?;
        if !greeting.is_fine() {
            return Ok(Handed::Deferred(greeting.words()));
        }
        if let Some((name, password)) = order.login {
            let reply = self.ask(&format!("LOGI {} {}", word(name), word(password))).await?;
            if !reply.is_fine() {
                return Ok(Handed::Deferred(reply.words()));
            }
        }
        // Who does not know level 3 gets the page in one direction.
        let two_way = order.two_way && self.ask("2WAY").await?.is_fine();
        let reply = self.ask(&format!("PAGE {}", word(order.pager))).await?;
        match reply.code {
            200..=399 => {}
            // §4.2: 550 is about this pager, 421 and 554 are about the moment.
            550 | 552 => return Ok(Handed::Refused(reply.words())),
            _ => return Ok(Handed::Deferred(reply.words())),
        }
        // What is said for comfort only may not be known there.
        if !order.caller.is_empty() {
            self.ask(&format!("CALL {}", one_line(order.caller))).await?;
        }
        if order.urgency >= Urgency::Important {
            self.ask("LEVE 0").await?;
        }
        if order.urgency == Urgency::Urgent {
            self.ask("ALER 1").await?;
        }
        let reply = self.text(order.text).await?;
        if !reply.is_fine() {
            return Ok(Handed::Refused(reply.words()));
        }
        self.stage = Stage::Sent;
        let reply = self.ask("SEND").await?;
        Ok(match reply.code {
            // §4.6.9: 8xx is delivered, 9xx is queued.
            200..=399 | 800..=999 => Handed::Accepted(ticket(&reply.text).filter(|_| two_way)),
            500 | 503 | 550 | 552 => Handed::Refused(reply.words()),
            _ => Handed::Deferred(reply.words()),
        })
    }

    /// With its lines where the carrier knows level 2, in one otherwise.
    async fn text(&mut self, text: &str) -> Result<Reply, Broken> {
        if text.contains('\n') {
            let reply = self.ask("DATA").await?;
            if reply.code == 354 {
                for line in text.lines() {
                    // A point alone would be the end.
                    let point = if line.starts_with('.') { "." } else { "" };
                    self.lines.say(&format!("{point}{}", one_line(line))).await?;
                }
                return self.ask(".").await;
            }
        }
        self.ask(&format!("MESS {}", one_line(text))).await
    }

    async fn ask(&mut self, command: &str) -> Result<Reply, Broken> {
        self.lines.say(command).await?;
        self.reply().await
    }

    /// §4.2: lines with 214, or with a hyphen behind the code, are not the last one.
    async fn reply(&mut self) -> Result<Reply, Broken> {
        for _ in 0..limits::REPLY_LINES {
            let line = self.lines.line().await?;
            let text = String::from_utf8_lossy(&line).into_owned();
            let Some(code) = text.get(..3).and_then(|code| code.parse().ok()) else { continue };
            let more = code == 214 || text.as_bytes().get(3) == Some(&b'-');
            if !more {
                let text =
                    text[3..].trim().chars().filter(|c| !c.is_control()).take(limits::NAME * 2).collect();
                return Ok(Reply { code, text });
            }
        }
        Err(Broken::Long)
    }

    fn broken(&self, broken: Broken) -> Handed {
        let why = match broken {
            Broken::Gone => "The connection to the carrier broke.",
            Broken::Slow => "The carrier did not answer in time.",
            Broken::Long => "The carrier says things that are no replies.",
        };
        match self.stage {
            Stage::Before => Handed::Deferred(why.into()),
            Stage::Sent => Handed::Unknown(why.into()),
        }
    }
}

/// §4.6.9: `<Message_Tag> <Pass_Code> …`.
fn ticket(text: &str) -> Option<Ticket> {
    let mut numbers = text.split_ascii_whitespace();
    Some(Ticket { tag: numbers.next()?.parse().ok()?, pass: numbers.next()?.parse().ok()? })
}

/// A text that cannot begin a command of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A word that cannot either, nor become two.
fn word(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests;
