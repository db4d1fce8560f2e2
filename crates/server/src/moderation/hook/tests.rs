use tokio::io::AsyncBufReadExt;
use tokio::net::UnixListener;

use super::*;

const PATIENCE: Duration = Duration::from_secs(2);

fn question(body: &str) -> Question {
    Question {
        from: "romeo@localhost/orchard".to_owned(),
        to: "juliet@localhost".to_owned(),
        kind: "chat",
        stranger: true,
        encrypted: false,
        body: Some(body.to_owned()),
    }
}

struct Program {
    reader: BufReader<OwnedReadHalf>,
    writer: tokio::net::unix::OwnedWriteHalf,
}

impl Program {
    async fn accept(listener: &UnixListener) -> Program {
        let (reader, writer) = listener.accept().await.unwrap().0.into_split();
        Program { reader: BufReader::new(reader), writer }
    }

    async fn hears(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.reader.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn says(&mut self, line: &str) {
        self.writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("hook")
    }

    fn asks(&self, fails_open: bool) -> Arc<Ask> {
        start(Settings { path: self.path(), patience: PATIENCE, fails_open })
    }
}

fn is_refused(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Refuse(text) if text.ends_with("Try again later."))
}

#[tokio::test]
async fn answers_find_their_questions_in_any_order() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let ask = place.asks(false);
    let (one, two, three) = (ask(question("one")), ask(question("two")), ask(question("three")));
    let program = async {
        let mut program = Program::accept(&listener).await;
        let mut ids = HashMap::new();
        for _ in 0..3 {
            let line = program.hears().await;
            assert_eq!(
                (line["from"].as_str(), line["stranger"].as_bool()),
                (Some("romeo@localhost/orchard"), Some(true))
            );
            ids.insert(line["body"].as_str().unwrap().to_owned(), line["id"].as_u64().unwrap());
        }
        program.says(&format!(r#"{{"id":{},"verdict":"set-aside"}}"#, ids["three"])).await;
        program.says(r#"{"id":99,"verdict":"allow"}"#).await;
        program.says(&format!(r#"{{"id":{},"verdict":"refuse","text":"No."}}"#, ids["two"])).await;
        program.says(&format!(r#"{{"id":{},"verdict":"allow"}}"#, ids["one"])).await;
        program
    };
    let (one, two, three, _program) = tokio::join!(one, two, three, program);
    assert_eq!((one, two, three), (Verdict::Allow, Verdict::Refuse("No.".to_owned()), Verdict::SetAside));
}

#[tokio::test]
async fn without_an_answer_nothing_goes_through() {
    let place = Place::new();
    assert!(is_refused(place.asks(false)(question("nobody listens")).await));
    assert_eq!(place.asks(true)(question("nobody listens")).await, Verdict::Allow);

    let listener = UnixListener::bind(place.path()).unwrap();
    let ask = place.asks(false);
    for nonsense in ["{}", "yes", "", "x"] {
        let program = async {
            let mut program = Program::accept(&listener).await;
            program.hears().await;
            program.says(&nonsense.repeat(MAX_LINE as usize)).await;
            program
        };
        let (verdict, _program) = tokio::join!(ask(question("nonsense")), program);
        assert!(is_refused(verdict), "{nonsense}");
    }
    // It goes on with the next connection.
    let program = async {
        let mut program = Program::accept(&listener).await;
        let id = program.hears().await["id"].as_u64().unwrap();
        program.says(&format!(r#"{{"id":{id},"verdict":"allow"}}"#)).await;
        program
    };
    let (verdict, program) = tokio::join!(ask(question("again")), program);
    assert_eq!(verdict, Verdict::Allow);
    let gone = async {
        let mut program = program;
        program.hears().await;
    };
    let (verdict, ()) = tokio::join!(ask(question("it ends")), gone);
    assert!(is_refused(verdict));
}

#[tokio::test]
async fn silence_is_waited_for_only_so_long() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let ask = place.asks(false);
    let silent = tokio::spawn(async move {
        let mut program = Program::accept(&listener).await;
        program.hears().await;
        std::future::pending::<()>().await;
    });
    tokio::time::pause();
    assert!(is_refused(ask(question("hello?")).await));
    silent.abort();
}
