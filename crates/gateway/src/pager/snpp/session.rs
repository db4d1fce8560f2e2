//! What is said in one connection (RFC 1861), without the connection: lines in, replies and wishes out.

use crate::pager::limits;
use crate::pager::page::{Page, State, Ticket, TwoWay, readable};
use rookery_store::{Choice, Urgency};

/// What is to be done for a line.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Act<P> {
    /// Nothing: it is a part of a text.
    Listen,
    /// This is said.
    Say(String),
    /// This is said, and the connection ends.
    End(String),
    /// A pager is looked up: [`Session::found`] says what to reply.
    Find(String),
    /// The page goes to these pagers: [`Session::sent`] says what to reply.
    Send(Vec<P>, Box<Page>),
    /// Somebody asks for a page: [`status`] says what to reply.
    Status(Ticket),
    /// Somebody takes a page back: [`killed`] says what to reply.
    Kill(Ticket),
}

/// What became of a page that was to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sent {
    /// It is stored.
    Stored(Option<Ticket>),
    /// Nobody takes it.
    Refused,
    /// Not at the moment.
    Later,
}

/// What a connection has said so far. `P` is a pager that was found.
pub(super) struct Session<P> {
    pagers: Vec<P>,
    /// The text, once there is one.
    text: Option<String>,
    caller: String,
    subject: String,
    urgency: Urgency,
    two_way: Option<TwoWay>,
    /// The text that comes after `DATA`.
    data: Option<Vec<u8>>,
    mistakes: u32,
    sent: u32,
}

type Says<P> = Result<Act<P>, &'static str>;

const MISSING: &str = "550 Something is missing behind this command";
const ONE_WAY: &str = "550 This belongs to a 2-way transaction; begin with 2WAY";

impl<P: Clone + PartialEq> Session<P> {
    pub(super) fn new() -> Session<P> {
        Session {
            pagers: Vec::new(),
            text: None,
            caller: String::new(),
            subject: String::new(),
            urgency: Urgency::Normal,
            two_way: None,
            data: None,
            mistakes: 0,
            sent: 0,
        }
    }

    /// A line, without its end.
    pub(super) fn line(&mut self, line: &[u8]) -> Act<P> {
        if let Some(data) = &mut self.data {
            return match line {
                b"." => self.text_ends(),
                line => {
                    // Too much is read to its end and refused there. Perl's Net::Cmd and others double a leading point, as SMTP does.
                    let line = if line.starts_with(b"..") { &line[1..] } else { line };
                    let room = (limits::TEXT + 2).saturating_sub(data.len());
                    data.extend(line.iter().chain(b"\n").take(room));
                    Act::Listen
                }
            };
        }
        let said = readable(line, limits::LINE);
        let (command, rest) = said.trim_start().split_once(' ').unwrap_or((said.trim(), ""));
        // §4: four letters tell commands apart.
        let command = command.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = self.command(&command, rest.trim(), line);
        answer.unwrap_or_else(|why| self.mistake(why))
    }

    fn command(&mut self, command: &str, rest: &str, line: &[u8]) -> Says<P> {
        match command {
            "PAGE" => self.page(rest),
            "MESS" => self.message(line),
            "DATA" => self.data(),
            "SEND" => self.send(),
            "RESE" => {
                self.reset();
                say("250 RESET OK")
            }
            "QUIT" => Ok(Act::End("221 OK, Goodbye".into())),
            "HELP" => say(HELP),
            // Whoever may connect may page: there is nothing to sign in to.
            "LOGI" if !rest.is_empty() => say("250 Login Accepted"),
            "LEVE" => self.level(rest),
            "ALER" => self.alert(rest),
            "CALL" if !rest.is_empty() => {
                self.caller = shorten(rest);
                say("250 Caller ID Accepted")
            }
            "SUBJ" if !rest.is_empty() => {
                self.subject = shorten(rest);
                say("250 Message Subject Accepted")
            }
            // There is one area, and it is everywhere.
            "COVE" if !rest.is_empty() => say("250 Alternate Coverage Accepted"),
            "2WAY" => self.two_way(),
            // Who is there is nobody's business: §4.6.2 has a reply for that.
            "PING" if !rest.is_empty() => say("250 OK, Cannot Access Device Status"),
            "ACKR" => self.in_two_way(matches!(rest, "0" | "1"), "250 OK, Read Acknowledgement Accepted"),
            "RTYP" => self.reply_type(rest),
            "MCRE" => self.choice(rest),
            "MSTA" => Ok(Act::Status(ticket(rest)?)),
            "KTAG" => Ok(Act::Kill(ticket(rest)?)),
            "LOGI" | "CALL" | "SUBJ" | "COVE" | "PING" => Err(MISSING),
            _ => Err("500 Command Not Implemented, Try Again"),
        }
    }

    /// Something was wrong; too often, and it is over (§4.2).
    fn mistake(&mut self, why: &str) -> Act<P> {
        self.mistakes += 1;
        match self.mistakes > limits::MISTAKES {
            true => Act::End("421 Too Many Errors, Goodbye".into()),
            false => Act::Say(why.to_owned()),
        }
    }

    fn reset(&mut self) {
        let (mistakes, sent) = (self.mistakes, self.sent);
        *self = Session { mistakes, sent, ..Session::new() };
    }

    /// §4.3.1, §4.5.2. A PIN behind the pager is of no use here, and taken.
    fn page(&mut self, rest: &str) -> Says<P> {
        let Some(pager) = rest.split_ascii_whitespace().next() else { return Err(MISSING) };
        // §4.6.1: a two-way transaction has one pager.
        let most = if self.two_way.is_some() { 1 } else { limits::PAGERS };
        match self.pagers.len() >= most {
            true => Err("552 Maximum Entries Exceeded"),
            false => Ok(Act::Find(pager.to_owned())),
        }
    }

    /// A pager that was looked up: whose it is, if anybody's.
    pub(super) fn found(&mut self, pager: Option<P>) -> Act<P> {
        let Some(pager) = pager else { return self.mistake("550 Error, Invalid Pager ID") };
        if !self.pagers.contains(&pager) {
            self.pagers.push(pager);
        }
        Act::Say("250 Pager ID Accepted".into())
    }

    /// §4.3.2: all that stands behind the command, as it is.
    fn message(&mut self, line: &[u8]) -> Says<P> {
        let begin = line.iter().position(|byte| *byte == b' ').ok_or("550 ERROR, Invalid Message")?;
        self.take_text(&line[begin + 1..])
    }

    fn take_text(&mut self, bytes: &[u8]) -> Says<P> {
        if self.text.is_some() {
            return Err("503 ERROR, Message Already Entered");
        }
        if bytes.len() > limits::TEXT {
            return Err("550 ERROR, This Message Is Too Long");
        }
        let text = readable(bytes, limits::TEXT);
        if text.trim().is_empty() {
            return Err("550 ERROR, Invalid Message");
        }
        self.text = Some(text);
        say("250 Message OK")
    }

    /// §4.4.1.
    fn data(&mut self) -> Says<P> {
        if self.text.is_some() {
            return Err("503 ERROR, Message Already Entered");
        }
        self.data = Some(Vec::new());
        say("354 Begin Input; End with <CRLF>'.'<CRLF>")
    }

    fn text_ends(&mut self) -> Act<P> {
        let mut data = self.data.take().unwrap_or_default();
        // The last line's end is none of the text.
        if data.last() == Some(&b'\n') {
            data.pop();
        }
        self.take_text(&data).unwrap_or_else(|why| self.mistake(why))
    }

    /// §4.3.4, §4.6.9.
    fn send(&mut self) -> Says<P> {
        let (Some(text), false) = (&self.text, self.pagers.is_empty()) else {
            return Err("503 Error, Pager ID or Message Incomplete");
        };
        if self.sent >= limits::PAGES {
            return Ok(Act::End("421 Enough for One Connection, Goodbye".into()));
        }
        self.sent += 1;
        let page = Page {
            caller: self.caller.clone(),
            subject: self.subject.clone(),
            text: text.clone(),
            urgency: self.urgency,
            two_way: self.two_way.clone(),
        };
        Ok(Act::Send(self.pagers.clone(), Box::new(page)))
    }

    /// A page that was to be sent. What was not is kept, so that `SEND` tries it again.
    pub(super) fn sent(&mut self, sent: Sent) -> Act<P> {
        match sent {
            Sent::Stored(ticket) => {
                self.reset();
                Act::Say(match ticket {
                    Some(Ticket { tag, pass }) => format!("960 {tag} {pass} OK, Message QUEUED for Delivery"),
                    None => "250 Message Sent Successfully".into(),
                })
            }
            Sent::Refused => self.mistake("550 Error, Nobody Takes This Message"),
            Sent::Later => Act::Say("554 Error, Failed (Try Again Later)".into()),
        }
    }

    /// §4.5.3: 0 is the highest of twelve levels of service, 1 the usual one.
    fn level(&mut self, rest: &str) -> Says<P> {
        let level = rest.parse::<u8>().ok().filter(|level| *level <= 11);
        let level = level.ok_or("550 Error, Invalid Service Level")?;
        if level == 0 {
            self.urgency = self.urgency.max(Urgency::Important);
        }
        say("250 OK, Alternate Service Level Accepted")
    }

    /// §4.5.4: it is to be heard, whatever is set.
    fn alert(&mut self, rest: &str) -> Says<P> {
        match rest {
            "1" => self.urgency = Urgency::Urgent,
            "0" => {}
            _ => return Err("550 Error, Invalid Alert Parameter"),
        }
        say("250 OK, Alert Override Accepted")
    }

    /// §4.6.1.
    fn two_way(&mut self) -> Says<P> {
        if !self.pagers.is_empty() || self.text.is_some() {
            return Err("550 Error, Standard Transaction Already Underway, use RESEt");
        }
        self.two_way.get_or_insert_default();
        say("250 OK, Beginning 2-Way Transaction")
    }

    fn in_two_way(&self, fits: bool, reply: &str) -> Says<P> {
        match (&self.two_way, fits) {
            (None, _) => Err(ONE_WAY),
            (Some(_), false) => Err("550 Error, Invalid Parameter"),
            (Some(_), true) => say(reply),
        }
    }

    /// §4.6.6.
    fn reply_type(&mut self, rest: &str) -> Says<P> {
        let Some(two_way) = &mut self.two_way else { return Err(ONE_WAY) };
        match rest.to_ascii_uppercase().as_str() {
            "NONE" => two_way.reply = false,
            "SIMREPLY" | "MULTICHOICE" | "TEXT" => two_way.reply = true,
            "YESNO" => {
                let choice = |code: &str, text: &str| Choice { code: code.into(), text: text.into() };
                two_way.choices = vec![choice("1", "Yes"), choice("2", "No")];
                two_way.reply = true;
            }
            _ => return Err("550 Error, Invalid Reply Type"),
        }
        say("250 OK, Reply Type Accepted")
    }

    /// §4.6.7.
    fn choice(&mut self, rest: &str) -> Says<P> {
        let Some(two_way) = &mut self.two_way else { return Err("550 MCResponses Not Enabled") };
        let (code, text) = rest.split_once(' ').ok_or(MISSING)?;
        let fits = (1..=2).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fits || text.trim().is_empty() || text.len() > limits::CHOICE {
            return Err("554 Error, A Code of Two Signs and a Short Text Are Wanted");
        }
        if two_way.choices.iter().any(|choice| choice.code == code) {
            return Err("502 Error! Would Duplicate Previously Entered MCResponse");
        }
        if two_way.choices.len() >= limits::CHOICES {
            return Err("552 Maximum Entries Exceeded");
        }
        two_way.choices.push(Choice { code: code.to_owned(), text: text.trim().to_owned() });
        two_way.reply = true;
        say("250 Response Added to Transaction")
    }
}

fn say<P>(text: &str) -> Says<P> {
    Ok(Act::Say(text.to_owned()))
}

fn shorten(text: &str) -> String {
    text[..text.floor_char_boundary(limits::NAME)].to_owned()
}

/// §4.6.10: a tag and a pass code.
fn ticket(rest: &str) -> Result<Ticket, &'static str> {
    let mut numbers = rest.split_ascii_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(tag)), Some(Ok(pass))) => Ok(Ticket { tag, pass }),
        _ => Err(UNKNOWN),
    }
}

const UNKNOWN: &str = "550 Unknown or Illegal Message_Tag or Pass_Code";

/// What became of a page, since when (YYMMDDHHMMSS, in UTC), and whether an answer was asked for (§4.6.10).
pub(super) fn status(known: Option<(State, String, bool)>) -> String {
    let Some((state, at, reply)) = known else { return UNKNOWN.into() };
    // The sequence tells several deliveries apart; there is one.
    let at = format!("1 {at}+0000");
    match (state, reply) {
        (State::Queued, _) => format!("960 {at} Message Queued; Awaiting Delivery"),
        (State::Delivered, true) => format!("861 {at} Delivered, Awaiting Reply"),
        (State::Delivered, false) => format!("860 {at} Delivered, Awaiting Read Confirmation"),
        (State::Read, true) => format!("870 {at} Delivered, Read, Awaiting Reply"),
        (State::Read, false) => format!("881 {at} Message Delivered and Read by Recipient"),
        (State::Answered { choice: Some(code), text }, _) => format!("888 {at} {code} {}", line(&text)),
        (State::Answered { choice: None, text }, _) => format!("889 {at} {}", line(&text)),
    }
}

/// Whether a page was taken back; `None`: there is none.
pub(super) fn killed(taken: Option<bool>) -> String {
    match taken {
        None => UNKNOWN,
        Some(true) => "250 Message Killed",
        Some(false) => "550 Message Is Delivered Already",
    }
    .into()
}

/// What people say, as one line of a reply.
fn line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.truncate(line.floor_char_boundary(limits::LINE / 2));
    line
}

const HELP: &str = "\
214 PAGE <pager>, MESS <text> or DATA, SEND, RESE, QUIT, HELP\r
214 LOGI <name> [password], LEVE <0-11>, ALER <0|1>, COVE <area>, CALL <caller>, SUBJ <subject>\r
214 2WAY, PING <pager>, ACKR <0|1>, RTYP <type>, MCRE <code> <text>, MSTA <tag> <pass>, KTAG <tag> <pass>\r
250 End of Help Information";

#[cfg(test)]
mod tests;
