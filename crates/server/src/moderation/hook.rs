//! The operator's program, asked over a Unix socket: JSON lines, each question with a number that its answer repeats.
//!
//! There is one connection, made when it is needed and again when it is lost. Answers may come in any order.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_core::gate::{Ask, Question, Verdict};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};

/// Questions that wait for their answer at a time. Above it a sender waits for room, within the time it has: a program that is
/// too slow slows those it is asked about, and fills no memory.
const AT_ONCE: usize = 256;

/// Longest line of an answer in bytes: a sentence.
const MAX_LINE: u64 = 4_096;

/// How the program is asked, and what it means when it does not answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The socket that the program listens on.
    pub path: PathBuf,
    /// How long an answer may take.
    pub patience: Duration,
    /// Whether a message is let through that nothing was said about in time.
    pub fails_open: bool,
}

/// What is written.
#[derive(Serialize)]
struct Line<'a> {
    id: u64,
    from: &'a str,
    to: &'a str,
    kind: &'a str,
    stranger: bool,
    encrypted: bool,
    body: Option<&'a str>,
}

/// What is read.
#[derive(Deserialize)]
struct Answer {
    id: u64,
    verdict: Word,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Allow,
    Refuse,
    SetAside,
}

impl From<Answer> for Verdict {
    fn from(answer: Answer) -> Verdict {
        match answer.verdict {
            Word::Allow => Verdict::Allow,
            Word::Refuse => Verdict::Refuse(answer.text),
            Word::SetAside => Verdict::SetAside,
        }
    }
}

type Asked = (Question, oneshot::Sender<Verdict>);

/// Asks the program at this socket from now on. Must be called within a tokio runtime.
pub fn start(settings: Settings) -> Arc<Ask> {
    let (questions, waiting) = mpsc::channel(AT_ONCE);
    tokio::spawn(run(settings.path.clone(), waiting));
    Arc::new(move |question| {
        let (questions, patience, fails_open) = (questions.clone(), settings.patience, settings.fails_open);
        Box::pin(async move {
            let asked = tokio::time::timeout(patience, ask(questions, question)).await;
            match asked {
                Ok(Some(verdict)) => verdict,
                _ if fails_open => Verdict::Allow,
                _ => Verdict::Refuse(
                    "This server cannot take the message at the moment. Try again later.".into(),
                ),
            }
        })
    })
}

async fn ask(questions: mpsc::Sender<Asked>, question: Question) -> Option<Verdict> {
    let (answer, verdict) = oneshot::channel();
    questions.send((question, answer)).await.ok()?;
    verdict.await.ok()
}

/// Carries questions to the program, one connection after another, until nobody is left who could ask.
async fn run(path: PathBuf, mut waiting: mpsc::Receiver<Asked>) {
    while let Some(first) = waiting.recv().await {
        let outcome = match UnixStream::connect(&path).await {
            Ok(stream) => converse(stream, first, &mut waiting).await,
            // `first` is dropped: who asked learns at once that there is no answer.
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, path = %path.display(), "the policy hook does not answer");
        }
    }
}

/// Who waits for which answer.
type Pending = Arc<Mutex<HashMap<u64, oneshot::Sender<Verdict>>>>;

/// One connection. Its end ends all questions that wait for an answer.
async fn converse(
    stream: UnixStream,
    first: Asked,
    waiting: &mut mpsc::Receiver<Asked>,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let pending = Pending::default();
    let mut reading = tokio::spawn(read(reader, pending.clone()));
    let mut next = Some(first);
    let mut id = 0;
    let outcome = loop {
        let Some((question, answer)) = next.take() else {
            tokio::select! {
                ended = &mut reading => break ended.unwrap_or(Ok(())),
                asked = waiting.recv() => match asked {
                    Some(asked) => next = Some(asked),
                    None => break Ok(()),
                },
            }
            continue;
        };
        id += 1;
        if !note(&pending, id, answer) {
            continue;
        }
        if let Err(error) = writer.write_all(&line(id, &question)).await {
            break Err(error);
        }
    };
    reading.abort();
    pending.lock().clear();
    outcome
}

/// Notes who waits; false where there is no room: then there is no answer.
fn note(pending: &Pending, id: u64, answer: oneshot::Sender<Verdict>) -> bool {
    let mut pending = pending.lock();
    if pending.len() >= AT_ONCE {
        // Those whose patience is over wait no more.
        pending.retain(|_, answer| !answer.is_closed());
    }
    let room = pending.len() < AT_ONCE;
    if room {
        pending.insert(id, answer);
    }
    room
}

fn line(id: u64, question: &Question) -> Vec<u8> {
    let Question { from, to, kind, stranger, encrypted, body } = question;
    let line = Line { id, from, to, kind, stranger: *stranger, encrypted: *encrypted, body: body.as_deref() };
    // Strings, numbers and switches can always be written.
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Takes answers until the connection ends, or says something that is no answer.
async fn read(reader: OwnedReadHalf, pending: Pending) -> std::io::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut text = String::new();
    loop {
        text.clear();
        if (&mut reader).take(MAX_LINE).read_line(&mut text).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let answer: Answer = serde_json::from_str(&text)?;
        if let Some(asked) = pending.lock().remove(&answer.id) {
            asked.send(answer.into()).ok();
        }
    }
}

#[cfg(test)]
mod tests;
