//! One connection to a carrier, from signing in to its end.

use super::Settings;
use super::pdu;
use super::wire::{self, Heard, Reader};
use crate::sms::Fresh;
use crate::sms::brought::Brought;
use crate::sms::limits;
use rookery_store::SendingId;
use rusmpp_core::command::owned::Command;
use rusmpp_core::pdus::owned::{DeliverSmResp, Pdu, SubmitSm};
use rusmpp_core::{CommandId, CommandStatus};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// Takes what a carrier brings; it is acknowledged by what comes of it.
pub type Take = Arc<dyn Fn(Brought) -> Taking + Send + Sync>;

/// Something that is being taken.
pub type Taking = Pin<Box<dyn Future<Output = Taken> + Send>>;

/// What became of what a carrier has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is stored, or of no use to anybody.
    Done,
    /// Nobody takes it, and nobody will.
    Refused,
    /// It cannot be stored now: the carrier is to bring it again.
    Later,
}

/// One message for the carrier.
pub(super) struct Order {
    pub(super) submit: SubmitSm,
    /// The sending that it is of.
    pub(super) sending: SendingId,
    /// Not said after this.
    pub(super) until: Instant,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// The carrier has it, and calls it so.
    Accepted(String),
    /// It is too much for the carrier at the moment.
    Throttled,
    /// The carrier does not have it, and may take it later.
    Later(String),
    /// The carrier will not take it.
    Refused(String),
    /// It was said, and no answer came.
    Unknown,
}

/// A connection that is signed in.
pub(super) struct Session<'a, S> {
    settings: &'a Settings,
    carrier: &'a str,
    fresh: &'a Fresh,
    take: Take,
    reader: Reader<ReadHalf<S>>,
    writer: WriteHalf<S>,
    sequence: u32,
    /// What was said and is not answered, until when it must be.
    waiting: BTreeMap<u32, (Order, Instant)>,
    /// Nothing is said before this, as the carrier has had too much.
    quiet: Option<Instant>,
    throttle: Duration,
    /// What is being stored, by the number that it is answered with.
    incoming: JoinSet<(u32, Taken)>,
    heard: Instant,
    /// Since when an `enquire_link` is not answered.
    asked: Option<Instant>,
}

/// Connects a stream to whatever is behind it and signs in (§2.2).
pub(super) async fn open<'a, S: AsyncRead + AsyncWrite>(
    stream: S,
    settings: &'a Settings,
    carrier: &'a str,
    fresh: &'a Fresh,
    take: Take,
) -> io::Result<Session<'a, S>> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = Reader::new(reader);
    let bind = pdu::bind(settings).ok_or_else(|| io::Error::other("its settings have no room in a bind"))?;
    let binding = async {
        wire::say(&mut writer, &Command::new(CommandStatus::EsmeRok, 1, bind)).await?;
        match reader.next().await? {
            Some(Heard::Command(answer)) if answer.id() == CommandId::BindTransceiverResp => {
                match answer.status() {
                    CommandStatus::EsmeRok => Ok(()),
                    status => Err(io::Error::other(format!("it does not let us in: {}", words(status)))),
                }
            }
            Some(_) => Err(io::Error::other("it answers something else than bind_transceiver_resp")),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    };
    timeout(limits::BIND, binding).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    Ok(Session {
        settings,
        carrier,
        fresh,
        take,
        reader,
        writer,
        sequence: 1,
        waiting: BTreeMap::new(),
        quiet: None,
        throttle: limits::THROTTLE,
        incoming: JoinSet::new(),
        heard: Instant::now(),
        asked: None,
    })
}

impl<S: AsyncRead + AsyncWrite> Session<'_, S> {
    /// Speaks until the connection ends; what was said and not answered then is unknown.
    pub(super) async fn run(mut self, orders: &mut mpsc::Receiver<Order>) -> io::Error {
        let error = match self.speak(orders).await {
            Ok(()) => io::Error::other("it has ended the connection"),
            Err(error) => error,
        };
        for (_, (order, _)) in std::mem::take(&mut self.waiting) {
            order.reply.send(Answer::Unknown).ok();
        }
        error
    }

    async fn speak(&mut self, orders: &mut mpsc::Receiver<Order>) -> io::Result<()> {
        loop {
            let may_say = self.quiet.is_none() && self.waiting.len() < self.settings.window;
            let alarm = self.alarm();
            tokio::select! {
                // What is not stored yet keeps more from being read.
                heard = self.reader.next(), if self.incoming.len() < limits::INCOMING => match heard? {
                    Some(heard) => {
                        (self.heard, self.asked) = (Instant::now(), None);
                        if !self.hear(heard).await? {
                            return Ok(());
                        }
                    }
                    None => return Ok(()),
                },
                Some(order) = orders.recv(), if may_say => self.submit(order).await?,
                Some(taken) = self.incoming.join_next() => {
                    if let Ok((sequence, taken)) = taken {
                        self.acknowledge(sequence, taken).await?;
                    }
                }
                () = sleep_until(alarm) => self.wake().await?,
            }
        }
    }

    /// When something is to be done though nothing comes.
    fn alarm(&self) -> Instant {
        let silence = match self.asked {
            Some(asked) => asked + limits::RESPONSE,
            None => self.heard + limits::SILENCE,
        };
        let answers = self.waiting.values().map(|(_, until)| *until);
        answers.chain(self.quiet).fold(silence, Instant::min)
    }

    async fn wake(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if self.quiet.is_some_and(|quiet| quiet <= now) {
            self.quiet = None;
        }
        let late = self.waiting.values().any(|(_, until)| *until <= now);
        if late || self.asked.is_some_and(|asked| asked + limits::RESPONSE <= now) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
        }
        if self.asked.is_none() && self.heard + limits::SILENCE <= now {
            // §4.11
            self.asked = Some(now);
            let sequence = self.next();
            self.say(CommandStatus::EsmeRok, sequence, Pdu::EnquireLink).await?;
        }
        Ok(())
    }

    async fn submit(&mut self, order: Order) -> io::Result<()> {
        // Nobody waits for it any more, or it is too late to.
        if order.reply.is_closed() {
            return Ok(());
        }
        if order.until <= Instant::now() {
            order.reply.send(Answer::Later("The carrier had too much to do.".to_owned())).ok();
            return Ok(());
        }
        let sequence = self.next();
        let submit = order.submit.clone();
        // What follows may fail when some of it was said.
        self.waiting.insert(sequence, (order, Instant::now() + limits::RESPONSE));
        self.say(CommandStatus::EsmeRok, sequence, submit).await
    }

    /// Understands what was heard; false: the carrier says goodbye.
    async fn hear(&mut self, heard: Heard) -> io::Result<bool> {
        let command = match heard {
            Heard::Command(command) => command,
            Heard::Garbled(sequence) => {
                self.answered(sequence, |_, _| Answer::Unknown);
                return Ok(true);
            }
            Heard::Broken(sequence, status) => {
                self.say(status, sequence, Pdu::GenericNack).await?;
                return Ok(true);
            }
        };
        let (sequence, status) = (command.sequence_number(), command.status());
        match (command.id(), command.pdu()) {
            (CommandId::EnquireLink, _) => {
                self.say(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp).await?;
            }
            (CommandId::DeliverSm, Some(Pdu::DeliverSm(deliver))) => {
                let taking = (self.take)(pdu::brought(deliver, self.settings.default_alphabet));
                self.incoming.spawn(async move { (sequence, taking.await) });
            }
            (CommandId::SubmitSmResp, pdu) if status == CommandStatus::EsmeRok => {
                let id = match pdu {
                    Some(Pdu::SubmitSmResp(response)) => response.message_id().as_str(),
                    _ => "",
                };
                self.throttle = limits::THROTTLE;
                self.answered(sequence, |session, order| {
                    session.fresh.note(session.carrier, id, order.sending);
                    Answer::Accepted(id.to_owned())
                });
            }
            (CommandId::SubmitSmResp | CommandId::GenericNack, _) => self.declined(sequence, status),
            (CommandId::Unbind, _) => {
                self.say(CommandStatus::EsmeRok, sequence, Pdu::UnbindResp).await?;
                return Ok(false);
            }
            (id, _) if u32::from(id) & wire::ANSWER == 0 && id != CommandId::AlertNotification => {
                // §4.3.1: what we do not do.
                self.say(CommandStatus::EsmeRinvcmdid, sequence, Pdu::GenericNack).await?;
            }
            _ => {}
        }
        Ok(true)
    }

    fn answered(&mut self, sequence: u32, answer: impl FnOnce(&mut Self, &Order) -> Answer) {
        if let Some((order, _)) = self.waiting.remove(&sequence) {
            let answer = answer(self, &order);
            order.reply.send(answer).ok();
        }
    }

    /// The carrier does not take a message (§5.1.3).
    fn declined(&mut self, sequence: u32, status: CommandStatus) {
        let answer = match status {
            CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => {
                self.quiet = Some(Instant::now() + self.throttle);
                self.throttle = (self.throttle * 2).min(limits::LONGEST_THROTTLE);
                Answer::Throttled
            }
            CommandStatus::EsmeRsyserr
            | CommandStatus::EsmeRsubmitfail
            | CommandStatus::EsmeRinvbndsts
            | CommandStatus::EsmeRxTAppn
            | CommandStatus::EsmeRunknownerr => Answer::Later(sentence(status)),
            _ => Answer::Refused(sentence(status)),
        };
        self.answered(sequence, |_, _| answer);
    }

    /// §4.6.2: what was taken is the carrier's no more.
    async fn acknowledge(&mut self, sequence: u32, taken: Taken) -> io::Result<()> {
        let status = match taken {
            Taken::Done => CommandStatus::EsmeRok,
            Taken::Refused => CommandStatus::EsmeRxRAppn,
            Taken::Later => CommandStatus::EsmeRxTAppn,
        };
        self.say(status, sequence, DeliverSmResp::default()).await
    }

    /// §3.2.1.4: from 1 to 0x7fffffff.
    fn next(&mut self) -> u32 {
        self.sequence = if self.sequence >= 0x7fff_ffff { 1 } else { self.sequence + 1 };
        self.sequence
    }

    async fn say(&mut self, status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) -> io::Result<()> {
        wire::say(&mut self.writer, &Command::new(status, sequence, pdu)).await
    }
}

/// A status for people.
fn sentence(status: CommandStatus) -> String {
    format!("The carrier says {}.", words(status))
}

/// The usual ones in words, the rest as the carrier's manual has them.
fn words(status: CommandStatus) -> String {
    let number = u32::from(status);
    let known = match status {
        CommandStatus::EsmeRinvdstadr => "that there is no such number",
        CommandStatus::EsmeRinvsrcadr => "that it does not know the sender",
        CommandStatus::EsmeRinvpaswd | CommandStatus::EsmeRinvsysid | CommandStatus::EsmeRbindfail => {
            "that name or password is wrong"
        }
        CommandStatus::EsmeRalybnd => "that we are connected already",
        CommandStatus::EsmeRsyserr => "that it has a fault",
        _ => return format!("{number:#010x}"),
    };
    format!("{known} ({number:#010x})")
}
