//! A carrier of short messages, by SMPP and in memory: it does as it was told to, and remembers what it was handed.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use rookery_gateway::mail::route::Dialling;
use rookery_gateway::mail::smtp::Carrier as Stream;
use rookery_gateway::sms::smpp::link::{Dial, Heard, Reader};
use rookery_gateway::sms::smpp::wire;
use rookery_gateway::sms::text::{Alphabet, Parts, Place, take_header};
use rusmpp_core::command::owned::Command;
use rusmpp_core::pdus::owned::{BindTransceiverResp, DeliverSm, Pdu, SubmitSm, SubmitSmResp};
use rusmpp_core::types::owned::{COctetString, OctetString};
use rusmpp_core::values::{DataCoding, EsmClass, Ton};
use rusmpp_core::{CommandId, CommandStatus};
use tokio::io::DuplexStream;
use tokio::sync::{Notify, mpsc};

/// Bytes that wait in a pipe, as they would in a socket's buffer.
const PIPE: usize = 64 * 1024;

/// How it takes what it is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It accepts.
    Accepts,
    /// It says that it is too much.
    Throttles,
    /// It says that there is no such number.
    Refuses,
    /// It takes all and says nothing.
    Hangs,
    /// It takes it and ends the connection.
    Breaks,
    /// Nobody can call it.
    Away,
}

impl Mood {
    /// What a dialogue calls it.
    pub fn from_name(name: &str) -> Option<Mood> {
        Some(match name {
            "accepts" => Mood::Accepts,
            "throttles" => Mood::Throttles,
            "refuses" => Mood::Refuses,
            "hangs" => Mood::Hangs,
            "breaks" => Mood::Breaks,
            _ => return None,
        })
    }
}

/// The carrier.
pub struct Smsc {
    state: Arc<State>,
}

struct State {
    inner: Mutex<Inner>,
    rings: Notify,
}

struct Inner {
    mood: Mood,
    /// What nobody has looked at yet.
    handed: VecDeque<SubmitSm>,
    /// How many it has accepted: the latest is called so.
    accepted: u32,
    /// Answers to what it has brought.
    answers: VecDeque<CommandStatus>,
    brought: u32,
    line: Option<mpsc::UnboundedSender<Command>>,
}

impl Default for Smsc {
    fn default() -> Smsc {
        let inner = Inner {
            mood: Mood::Accepts,
            handed: VecDeque::new(),
            accepted: 0,
            answers: VecDeque::new(),
            brought: 0,
            line: None,
        };
        Smsc { state: Arc::new(State { inner: Mutex::new(inner), rings: Notify::new() }) }
    }
}

impl Smsc {
    /// The way to it.
    pub fn dial(&self) -> Arc<Dial> {
        let state = self.state.clone();
        Arc::new(move || -> Dialling {
            let state = state.clone();
            Box::pin(async move {
                if state.inner.lock().mood == Mood::Away {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                let (ours, theirs) = tokio::io::duplex(PIPE);
                tokio::spawn(async move { serve(&state, theirs).await.ok() });
                Ok(Box::new(ours) as Box<dyn Stream>)
            })
        })
    }

    /// From now on it is so. Who goes away ends the connection.
    pub fn set_mood(&self, mood: Mood) {
        let mut inner = self.state.inner.lock();
        inner.mood = mood;
        if mood == Mood::Away {
            inner.line = None;
        }
    }

    /// It ends the connection that there is.
    pub fn hang_up(&self) {
        self.state.inner.lock().line = None;
    }

    /// What it is handed next, all parts of it: the number, a colon and the text.
    pub async fn next(&self) -> String {
        let first = self.submit().await;
        let (place, mut bytes) = content(&first);
        for _ in 1..place.map_or(1, |place| place.total) {
            bytes.extend(content(&self.submit().await).1);
        }
        let alphabet = if first.data_coding == DataCoding::Ucs2 { Alphabet::Ucs2 } else { Alphabet::Gsm };
        format!("+{}: {}", first.destination_addr.as_str(), alphabet.decode(&bytes))
    }

    async fn submit(&self) -> SubmitSm {
        loop {
            let rings = self.state.rings.notified();
            if let Some(submit) = self.state.inner.lock().handed.pop_front() {
                return submit;
            }
            rings.await;
        }
    }

    /// An error if it was handed something that nobody has looked at.
    pub fn expect_nothing(&self) -> Result<()> {
        match self.state.inner.lock().handed.front() {
            Some(submit) => bail!("the smsc was handed {:?}", content(submit)),
            None => Ok(()),
        }
    }

    /// It says what became of the latest that it has accepted, and hears that it is understood.
    pub async fn says(&self, stat: &str) -> Result<()> {
        let id = self.state.inner.lock().accepted;
        let text = format!(
            "id:c{id} sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:{stat} err:000 text:"
        );
        let mut deliver = DeliverSm::builder().esm_class(EsmClass::from(4)).build();
        deliver.set_short_message(OctetString::from_vec(text.into_bytes())?);
        self.bring(deliver).await
    }

    /// It brings what somebody has written, in as many parts as that has, these last ones first, and hears that it is understood.
    pub async fn brings(&self, from: &str, to: &str, text: &str) -> Result<()> {
        for deliver in self.delivers(from, to, text)? {
            self.bring(deliver).await?;
        }
        Ok(())
    }

    /// It brings what several have written, or one, at once, and hears then that all of it is understood.
    pub async fn brings_at_once(&self, messages: &[(&str, &str, &str)]) -> Result<()> {
        let mut brought = 0;
        for (from, to, text) in messages {
            for deliver in self.delivers(from, to, text)? {
                self.send(deliver).await?;
                brought += 1;
            }
        }
        for _ in 0..brought {
            self.answer().await?;
        }
        Ok(())
    }

    fn delivers(&self, from: &str, to: &str, text: &str) -> Result<Vec<DeliverSm>> {
        let text = Parts::of(text);
        let total = u8::try_from(text.parts.len())?;
        let reference = self.state.inner.lock().brought as u16;
        let mut delivers = Vec::new();
        for (number, part) in (1..=total).zip(&text.parts).rev() {
            let header = Place { reference, total, number }.header();
            let head = if total > 1 { &header[..] } else { &[] };
            let mut deliver = DeliverSm::builder()
                .source_addr_ton(Ton::International)
                .source_addr(number_of(from)?)
                .dest_addr_ton(if to.starts_with('+') { Ton::International } else { Ton::Unknown })
                .destination_addr(number_of(to)?)
                .esm_class(EsmClass::from(if total > 1 { 0x40 } else { 0 }))
                .data_coding(DataCoding::from(if text.alphabet == Alphabet::Ucs2 { 8 } else { 0 }))
                .build();
            deliver.set_short_message(OctetString::from_vec([head, part].concat())?);
            delivers.push(deliver);
        }
        Ok(delivers)
    }

    /// The connection of whoever is signed in, or will be.
    async fn line(&self) -> mpsc::UnboundedSender<Command> {
        loop {
            let rings = self.state.rings.notified();
            if let Some(line) = self.state.inner.lock().line.clone() {
                return line;
            }
            rings.await;
        }
    }

    async fn bring(&self, deliver: DeliverSm) -> Result<()> {
        self.send(deliver).await?;
        self.answer().await
    }

    async fn send(&self, deliver: DeliverSm) -> Result<()> {
        let command = {
            let mut inner = self.state.inner.lock();
            inner.brought += 1;
            Command::new(CommandStatus::EsmeRok, inner.brought, deliver)
        };
        self.line().await.send(command).ok().context("nobody is connected to the smsc any more")
    }

    async fn answer(&self) -> Result<()> {
        loop {
            let rings = self.state.rings.notified();
            if let Some(answer) = self.state.inner.lock().answers.pop_front() {
                return if answer == CommandStatus::EsmeRok { Ok(()) } else { bail!("it hears {answer:?}") };
            }
            rings.await;
        }
    }
}

fn number_of(number: &str) -> Result<COctetString<1, 21>> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    Ok(digits.parse()?)
}

/// Where a message belongs, and what it says.
fn content(submit: &SubmitSm) -> (Option<Place>, Vec<u8>) {
    let bytes = submit.short_message().as_ref();
    let read = match u8::from(submit.esm_class) & 0x40 {
        0 => (None, bytes),
        _ => take_header(bytes).unwrap_or((None, bytes)),
    };
    (read.0, read.1.to_vec())
}

async fn serve(state: &State, stream: DuplexStream) -> io::Result<()> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = Reader::new(reader);
    let (line, mut says) = mpsc::unbounded_channel();
    let mut line = Some(line);
    loop {
        let heard = tokio::select! {
            heard = reader.next() => heard?,
            said = says.recv() => match said {
                Some(command) => {
                    wire::say(&mut writer, &command).await?;
                    continue;
                }
                None => return Ok(()),
            },
        };
        let Some(Heard::Command(command)) = heard else { return Ok(()) };
        let mut say = None;
        match (command.id(), command.pdu()) {
            (CommandId::BindTransceiver, _) => {
                state.inner.lock().line = line.take();
                state.rings.notify_waiters();
                say = Some((CommandStatus::EsmeRok, BindTransceiverResp::default().into()))
            }
            (CommandId::EnquireLink, _) => say = Some((CommandStatus::EsmeRok, Pdu::EnquireLinkResp)),
            (CommandId::SubmitSm, Some(Pdu::SubmitSm(submit))) => {
                let mut inner = state.inner.lock();
                let mood = inner.mood;
                if matches!(mood, Mood::Accepts | Mood::Hangs | Mood::Breaks) {
                    inner.handed.push_back(submit.clone());
                }
                match mood {
                    Mood::Accepts => {
                        inner.accepted += 1;
                        let id = format!("c{}", inner.accepted).parse().unwrap_or_default();
                        say = Some((
                            CommandStatus::EsmeRok,
                            SubmitSmResp::builder().message_id(id).build().into(),
                        ));
                    }
                    Mood::Throttles => {
                        say = Some((CommandStatus::EsmeRthrottled, SubmitSmResp::default().into()))
                    }
                    Mood::Refuses => {
                        say = Some((CommandStatus::EsmeRinvdstadr, SubmitSmResp::default().into()))
                    }
                    Mood::Hangs | Mood::Away => {}
                    Mood::Breaks => {
                        inner.line = None;
                        drop(inner);
                        state.rings.notify_waiters();
                        return Ok(());
                    }
                }
                drop(inner);
                state.rings.notify_waiters();
            }
            (CommandId::DeliverSmResp | CommandId::GenericNack, _) => {
                state.inner.lock().answers.push_back(command.status());
                state.rings.notify_waiters();
            }
            _ => {}
        }
        if let Some((status, pdu)) = say {
            wire::say(&mut writer, &Command::new(status, command.sequence_number(), pdu)).await?;
        }
    }
}
