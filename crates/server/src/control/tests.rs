use std::sync::Arc;

use rookery_core::Core;
use rookery_core::env::Env;
use rookery_proto::Uid;
use rookery_store::{
    Blob, FileHash, FilePurpose, FileQuota, FileToken, NewUpload, Options, Room, Store, Timestamp,
};

use super::*;
use crate::config::Config;
use crate::{assemble, serve};

struct Running {
    folder: tempfile::TempDir,
    core: Arc<Core>,
}

impl Running {
    /// A server that does nothing but take commands.
    async fn start() -> Running {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { domain: "example.org".to_owned(), scram_iterations: 4096, ..Config::default() };
        let options = Options::new(folder.path().join("store"));
        let env = Env::virtual_from(7);
        let core = assemble::core(folder.path(), options, serve::policy(&config), env).await.unwrap();
        let admin = Arc::new(Admin::of(core.clone()));
        tokio::spawn(run(listen(folder.path()).unwrap(), admin));
        Running { folder, core }
    }

    async fn command(&self) -> Control {
        let config = Config { data: self.folder.path().to_owned(), ..Config::default() };
        Control::open(&config, false).await.unwrap()
    }

    /// Whether a new session of the account goes on living through what is asked.
    async fn survives(&self, control: &mut Control, request: Request) -> bool {
        let member = self.core.directory.member(Uid(10_001)).await.unwrap().unwrap();
        let session = self.core.bind(&member, "orchard", Default::default()).await.unwrap();
        control.ask(request).await.unwrap();
        session.is_live()
    }
}

fn create(address: &str) -> Request {
    Request::Create { address: address.to_owned(), nick: None, password: "secret".to_owned() }
}

fn account(response: Response) -> AccountRow {
    match response {
        Response::Account(row) => row,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn commands_reach_the_running_server() {
    let server = Running::start().await;
    let mut control = server.command().await;
    assert!(matches!(control, Control::Running(..)));
    assert_eq!(account(control.ask(create("alice")).await.unwrap()).address, "alice@example.org");
    assert_eq!(account(control.ask(create("")).await.unwrap()).address, "10002@example.org");
    let refused = control.ask(create("alice")).await.unwrap_err().to_string();
    assert_eq!(refused, "The name is taken.");
    let set = |disabled| Request::SetDisabled { account: "10001".to_owned(), disabled };
    assert!(!server.survives(&mut control, set(true)).await);
    assert!(account(control.ask(set(true)).await.unwrap()).disabled);
    let list = Request::List { after: None, prefix: None, disabled: true };
    let Response::Accounts { accounts } = control.ask(list).await.unwrap() else { panic!() };
    assert_eq!(accounts.iter().map(|row| row.number).collect::<Vec<_>>(), [10_001]);
    let passwd = Request::SetPassword { account: "alice".to_owned(), password: "new".to_owned() };
    control.ask(set(false)).await.unwrap();
    assert!(server.survives(&mut control, passwd).await);
    let delete = Request::Delete { account: "alice@example.org".to_owned() };
    assert!(!server.survives(&mut control, delete).await);
    let gone = control.ask(Request::Show { account: "alice".to_owned() }).await.unwrap_err().to_string();
    assert_eq!(gone, "There is no such account.");
}

#[tokio::test]
async fn an_import_names_its_failures_by_line() {
    let server = Running::start().await;
    let mut control = server.command().await;
    let line = |line, address: &str| ImportLine {
        line,
        address: address.to_owned(),
        password: "secret".to_owned(),
        nick: None,
    };
    let lines = vec![line(1, "alice"), line(2, "bob@example.com"), line(3, "alice@example.org"), line(4, "")];
    let response = control.ask(Request::Import { lines, iterations: Some(1) }).await.unwrap();
    let Response::Imported { made, failures } = response else { panic!("{response:?}") };
    assert_eq!(made, 2);
    let failures: Vec<_> = failures.iter().map(|failure| (failure.line, failure.why.as_str())).collect();
    assert_eq!(failures, [(2, "The address is not at example.org."), (3, "The name is taken.")]);
    let many = (0..=IMPORT_PART as u64).map(|at| line(at, "")).collect();
    assert!(control.ask(Request::Import { lines: many, iterations: None }).await.is_err());
}

/// Orders an export, waits for it and takes it away: the names of its files, and the document for programs.
async fn exported(control: &mut Control, account: &str, credentials: bool) -> (Vec<String>, String) {
    let order = Request::Export { account: account.to_owned(), credentials };
    let mut answer = control.ask(order).await.unwrap();
    let (id, file) = loop {
        let Response::Exporting { id, file, .. } = answer else { panic!("{answer:?}") };
        match file {
            Some(file) => break (id, file),
            None => {
                tokio::task::yield_now().await;
                answer = control.ask(Request::ExportState { id }).await.unwrap();
            }
        }
    };
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&file).unwrap()).unwrap();
    let mut names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    let document = std::io::read_to_string(archive.by_name("account.xml").unwrap()).unwrap();
    std::fs::remove_file(file).unwrap();
    assert_eq!(control.ask(Request::ExportTaken { id: id.clone() }).await.unwrap(), Response::Noted);
    assert!(control.ask(Request::ExportState { id }).await.is_err());
    (names, document)
}

#[tokio::test]
async fn accounts_are_exported_by_the_server_and_without_one() {
    let server = Running::start().await;
    let core = &server.core;
    let data = server.folder.path().to_owned();
    let (store, env) = (core.store.clone(), core.env.clone());
    tokio::spawn(crate::export::run(store, env, core.exports.clone(), data, None));
    let mut control = server.command().await;
    control.ask(create("alice")).await.unwrap();
    let (names, document) = exported(&mut control, "alice", false).await;
    assert_eq!(names, ["account.xml", "conversations/1.html", "index.html"], "the welcome is a conversation");
    assert!(document.contains("<user name='alice'>") && !document.contains("scram"), "{document}");
    assert!(control.ask(Request::Export { account: "nobody".to_owned(), credentials: false }).await.is_err());

    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().join("data"), ..Config::default() };
    let mut control = Control::open(&config, true).await.unwrap();
    control.ask(create("bob")).await.unwrap();
    let (_, document) = exported(&mut control, "10001", true).await;
    assert!(
        document.contains("<user name='bob'>") && document.contains("mechanism='SCRAM-SHA-256'"),
        "{document}"
    );
    control.close().await.unwrap();
}

/// A file of the account 10001, as if it had come.
async fn uploaded(store: &Store, letter: u8, size: u64) -> FileToken {
    let token = FileToken::new(&[letter; FileToken::LEN]).unwrap();
    let (name, media_type) = ("a cat.jpg".to_owned(), "image/jpeg".to_owned());
    let (uid, purpose, at, due) = (Uid(10_001), FilePurpose::Message, Timestamp(0), Timestamp(i64::MAX));
    let new = NewUpload { token, uid, name, media_type, size, purpose, at, due };
    assert_eq!(store.open_upload(new, FileQuota::default()).await.unwrap(), Room::Given);
    let hash = FileHash([letter; 32]);
    store.expect_blob(hash, size).await.unwrap();
    store.finish_upload(token, Blob { hash, dimensions: None }, None).await.unwrap();
    token
}

/// What the commands about files say.
async fn files_are_listed_counted_and_removed(control: &mut Control, store: Store, domain: &str) {
    control.ask(create("alice")).await.unwrap();
    let (small, large) = (uploaded(&store, b'a', 5).await, uploaded(&store, b'b', 2_000_000).await);
    let list = |filter| Request::ListFiles { filter, before: None };
    let filter =
        FileFilter { account: Some("alice".to_owned()), at_least: 1_000_000, ..FileFilter::default() };
    let Response::Files { files } = control.ask(list(filter)).await.unwrap() else { panic!() };
    let [row] = &files[..] else { panic!("{files:?}") };
    assert_eq!((row.token.as_str(), row.refs, row.arrived), (large.as_str(), 0, true));
    assert_eq!(row.account, format!("alice@{domain}"));
    let nobody = FileFilter { account: Some("nobody".to_owned()), ..FileFilter::default() };
    assert_eq!(control.ask(list(nobody)).await.unwrap_err().to_string(), "There is no such account.");

    let usage =
        |account: Option<&str>| Request::FileUsage { account: account.map(str::to_owned), after: None };
    for asked in [None, Some("10001")] {
        let answer = control.ask(usage(asked)).await.unwrap();
        let Response::FileUsage { accounts, stored_files, stored_bytes, .. } = answer else { panic!() };
        assert_eq!(accounts.iter().map(|row| (row.files, row.bytes)).collect::<Vec<_>>(), [(2, 2_000_005)]);
        assert_eq!((stored_files, stored_bytes), (2, 2_000_005));
    }

    let remove = |file: String| Request::RemoveFile { file };
    let address = format!("https://{domain}/upload/{large}/a%20cat.jpg");
    for file in [address, small.to_string()] {
        let Response::Done { what } = control.ask(remove(file.clone())).await.unwrap() else { panic!() };
        assert_eq!(what, format!("The file a cat.jpg of alice@{domain} is removed."));
        let gone = control.ask(remove(file)).await.unwrap_err().to_string();
        assert_eq!(gone, "There is no such file: name it as in the list, or by its address.");
    }
    let Response::Files { files } = control.ask(list(FileFilter::default())).await.unwrap() else { panic!() };
    assert!(files.is_empty());
}

#[tokio::test]
async fn files_are_looked_after_in_the_server_and_without_one() {
    let server = Running::start().await;
    let mut control = server.command().await;
    files_are_listed_counted_and_removed(&mut control, server.core.store.clone(), "example.org").await;

    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().join("data"), ..Config::default() };
    let mut control = Control::open(&config, true).await.unwrap();
    let Control::Alone { store, .. } = &control else { panic!("a server runs") };
    let (store, domain) = (store.clone(), config.domain.clone());
    files_are_listed_counted_and_removed(&mut control, store, &domain).await;
    control.close().await.unwrap();
}

#[tokio::test]
async fn invitations_are_made_listed_and_revoked() {
    let server = Running::start().await;
    let mut control = server.command().await;
    let make = |uses, days: u64, account: Option<&str>, name: Option<&str>| Request::CreateInvite {
        uses,
        seconds: days * 86_400,
        account: account.map(str::to_owned),
        contact: account.is_some(),
        name: name.map(str::to_owned),
        group: None,
    };
    let made = control.ask(make(3, 7, None, None)).await.unwrap();
    let Response::Invited { token, link, page, invite } = made else { panic!("{made:?}") };
    assert_eq!(link, format!("xmpp:example.org?register;preauth={token}"));
    assert_eq!(page, Some(format!("https://example.org:5443/invite/{token}")));
    assert_eq!((invite.uses, invite.ended, invite.what.as_str()), (3, false, "account"));
    let nobody = control.ask(make(1, 1, Some("alice"), None)).await.unwrap_err().to_string();
    assert_eq!(nobody, "There is no such account.");
    control.ask(create("alice")).await.unwrap();
    let second = control.ask(make(5, 1, Some("10001"), Some("Bob"))).await.unwrap();
    let Response::Invited { invite: second, link, .. } = second else { panic!("{second:?}") };
    assert!(link.starts_with("xmpp:bob@example.org?register;preauth="), "{link}");
    assert_eq!((second.uses, second.of.as_deref()), (1, Some("alice@example.org")));
    assert_eq!(second.what, "account bob, contact");
    assert_eq!(control.ask(create("bob")).await.unwrap_err().to_string(), "The name is taken.");
    let list = control.ask(Request::ListInvites).await.unwrap();
    assert_eq!(list, Response::Invites { invites: vec![second.clone(), invite] });
    let revoke = |text: &str| Request::RevokeInvite { invite: text.to_owned() };
    assert!(control.ask(revoke("ffff")).await.is_err());
    assert_eq!(control.ask(revoke(&second.id)).await.unwrap(), Response::Revoked);
    assert_eq!(control.ask(revoke(&token)).await.unwrap(), Response::Revoked);
    assert_eq!(control.ask(Request::ListInvites).await.unwrap(), Response::Invites { invites: Vec::new() });
}

fn report(reported: &str) -> rookery_store::NewReport {
    rookery_store::NewReport {
        reported: reported.to_owned(),
        reason: rookery_store::Reason::Abuse,
        text: "rude".to_owned(),
        sharing: Default::default(),
        occupant: false,
        exhibits: Vec::new(),
    }
}

async fn done(control: &mut Control, request: Request) -> String {
    match control.ask(request).await.unwrap() {
        Response::Done { what } => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn reports_are_listed_shown_and_closed() {
    let server = Running::start().await;
    let mut control = server.command().await;
    for name in ["alice", "bob"] {
        control.ask(create(name)).await.unwrap();
    }
    let filed = ["x@spam.example", "x@spam.example", "bob@example.org"].map(report).to_vec();
    let store = &server.core.store;
    store.block_and_report(Uid(10_001), Vec::new(), filed, rookery_store::Timestamp(5)).await.unwrap();

    let list = |closed, before| Request::ListReports { closed, before };
    let Response::Reports { reports } = control.ask(list(false, Some(3))).await.unwrap() else { panic!() };
    assert_eq!(reports.iter().map(|row| row.id).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((reports[0].reporter.as_str(), reports[0].reason.as_str()), ("alice@example.org", "abuse"));
    let shown = control.ask(Request::ShowReport { id: 1 }).await.unwrap();
    let Response::Report { report, reports, reporters, messages } = shown else { panic!("{shown:?}") };
    assert_eq!((report.text.as_str(), reports, reporters, messages.len()), ("rude", 2, 1, 0));
    assert!(control.ask(Request::ShowReport { id: 9 }).await.is_err());

    let close = |id, outcome, all| Request::CloseReport { id, outcome, all };
    for (id, unfit) in [
        (1, ReportOutcome::Disabled),
        (1, ReportOutcome::Removed),
        (3, ReportOutcome::Blocked),
        (9, ReportOutcome::Dismissed),
    ] {
        assert!(control.ask(close(id, unfit, false)).await.is_err(), "{id} {unfit:?}");
    }
    let said = done(&mut control, close(2, ReportOutcome::ServerBlocked, true)).await;
    assert_eq!(said, "The server of x@spam.example is blocked for everybody here. 2 reports are closed.");
    assert!(server.core.denies(&"y@spam.example/z".parse().unwrap()));
    done(&mut control, close(3, ReportOutcome::Disabled, false)).await;
    assert!(store.account(Uid(10_002)).await.unwrap().unwrap().disabled);
    let Response::Reports { reports } = control.ask(list(false, None)).await.unwrap() else { panic!() };
    assert_eq!(reports, []);
}

#[tokio::test]
async fn servers_are_blocked_at_once_and_beside_a_server() {
    let server = Running::start().await;
    let mut control = server.command().await;
    let names = |jids: &[&str]| jids.iter().map(|&jid| jid.to_owned()).collect::<Vec<_>>();
    for bad in ["alice@example.org", "example.org", "x@spam.example/y", "@", ""] {
        let both = names(&["spam.example", bad]);
        assert!(control.ask(Request::Block { jids: both }).await.is_err(), "{bad}");
    }
    let jid = "x@Spam.example".parse().unwrap();
    assert!(!server.core.denies(&jid), "all or nothing");
    done(&mut control, Request::Block { jids: names(&["SPAM.example"]) }).await;
    assert!(server.core.denies(&jid));
    done(&mut control, Request::Unblock { jids: names(&["spam.example"]) }).await;
    assert!(!server.core.denies(&jid));
    assert!(control.ask(Request::Unblock { jids: names(&["spam.example"]) }).await.is_err());

    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), ..Config::default() };
    let mut control = Control::open(&config, true).await.unwrap();
    done(&mut control, Request::Block { jids: names(&["spam.example"]) }).await;
    let Response::Blocked { blocked } = control.ask(Request::ListBlocked).await.unwrap() else { panic!() };
    assert_eq!((blocked[0].jid.as_str(), blocked[0].by.as_str()), ("spam.example", "operator"));
    control.close().await.unwrap();
}

#[tokio::test]
async fn a_bot_may_go_as_fast_as_it_can() {
    let server = Running::start().await;
    let mut control = server.command().await;
    control.ask(create("bot")).await.unwrap();
    for unlimited in [true, false] {
        let account = "bot".to_owned();
        control.ask(Request::SetUnlimited { account, unlimited }).await.unwrap();
        let member = server.core.directory.member(Uid(10_001)).await.unwrap().unwrap();
        assert_eq!(member.unlimited, unlimited);
        let now = server.core.env.now();
        let taken = (0..2_000).filter(|_| server.core.pace.message(&member, now).is_ok()).count();
        assert_eq!(taken, if unlimited { 2_000 } else { 1_000 });
    }
}

#[tokio::test]
async fn a_line_that_is_no_request_is_answered() {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let server = Running::start().await;
    let path = crate::data::control_socket(server.folder.path());
    let mut stream = BufReader::new(tokio::net::UnixStream::connect(path).await.unwrap());
    let mut answer = String::new();
    for line in ["nonsense\n", "{\"command\":\"fly\"}\n", "{\"command\":\"list_invites\"}\n"] {
        stream.write_all(line.as_bytes()).await.unwrap();
        answer.clear();
        stream.read_line(&mut answer).await.unwrap();
        assert_eq!(answer.contains("refused"), !line.contains("list_invites"), "{line} {answer}");
    }
}

#[tokio::test]
async fn without_a_server_the_store_is_opened_by_one_command_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().join("data"), ..Config::default() };
    let Err(error) = Control::open(&config, false).await else { panic!("there is no store") };
    assert!(error.to_string().starts_with("There are no accounts in "), "{error}");

    let mut control = Control::open(&config, true).await.unwrap();
    control.ask(create("alice")).await.unwrap();
    let Err(error) = Control::open(&config, true).await else { panic!("the store is in use") };
    assert!(error.to_string().starts_with("Another rookery works on "), "{error}");
    control.close().await.unwrap();

    let mut control = Control::open(&config, false).await.unwrap();
    let shown = control.ask(Request::Show { account: "alice".to_owned() }).await.unwrap();
    assert_eq!(account(shown).address, "alice@localhost");
    control.close().await.unwrap();
}

#[tokio::test]
async fn a_socket_that_a_killed_server_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), ..Config::default() };
    drop(listen(folder.path()).unwrap());
    assert!(crate::data::control_socket(folder.path()).exists());
    let control = Control::open(&config, true).await.unwrap();
    assert!(matches!(control, Control::Alone { .. }));
    control.close().await.unwrap();
    assert!(listen(folder.path()).is_ok());
}
