use super::*;
use rookery_proto::Useq;
use rookery_store::{Offer, Options, Timestamp};

/// So few that the tests hash in no time.
const ROUNDS: u32 = 2;

async fn open() -> (tempfile::TempDir, Accounts) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path().join("store")), Box::new(|_, _| ())).await.unwrap();
    let accounts =
        Accounts::new(store, Env::virtual_from(1), "example.org".to_owned(), ROUNDS, Hasher::new(2));
    (folder, accounts)
}

fn wanted(name: Option<&str>) -> Wanted {
    Wanted { name: name.map(str::to_owned), nick: None, password: "secret".to_owned(), invite: None }
}

async fn log(accounts: &Accounts, uid: Uid) -> Vec<String> {
    let entries = accounts.store.events_after(uid, Useq(0), 10).await.unwrap();
    entries.iter().map(|entry| String::from_utf8(entry.stanza.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn an_account_has_the_next_number_or_a_name_as_its_address() {
    let (_folder, accounts) = open().await;
    let numbered = accounts.create(wanted(None), By::Themselves).await.unwrap();
    assert_eq!(accounts.address(&numbered).as_str(), "10001@example.org");
    let named = accounts.create(wanted(Some("Alice")), By::Themselves).await.unwrap();
    assert_eq!(accounts.address(&named).as_str(), "alice@example.org");
    assert_eq!(named.uid, Uid(10_002));

    for text in ["alice", "ALICE", "10002", "alice@example.org", "10002@Example.org"] {
        assert_eq!(accounts.find(text).await.unwrap().uid, named.uid, "{text}");
    }
    assert_eq!(accounts.find("10003").await, Err(AccountError::NotFound));
    assert_eq!(accounts.find("a b").await, Err(AccountError::NotFound));
    assert_eq!(
        accounts.find("alice@example.net").await,
        Err(AccountError::Elsewhere("example.org".to_owned()))
    );
}

#[tokio::test]
async fn a_new_account_is_welcomed_with_its_address_and_number() {
    let (_folder, accounts) = open().await;
    let numbered = accounts.create(wanted(None), By::Themselves).await.unwrap();
    let named = accounts.create(wanted(Some("alice")), By::Themselves).await.unwrap();
    let [welcome] = log(&accounts, numbered.uid).await.try_into().unwrap();
    assert!(
        welcome.starts_with("<message from='example.org' to='10001@example.org' type='chat' id="),
        "{welcome}"
    );
    assert!(welcome.contains("<body>Welcome! Your address is 10001@example.org."), "{welcome}");
    let [welcome] = log(&accounts, named.uid).await.try_into().unwrap();
    assert!(welcome.contains("Your address is alice@example.org. Your number is 10002:"), "{welcome}");
}

#[tokio::test]
async fn what_is_refused() {
    let (_folder, accounts) = open().await;
    accounts.create(wanted(Some("alice")), By::Themselves).await.unwrap();
    let create = |name: &'static str, by| accounts.create(wanted(Some(name)), by);
    assert_eq!(create("ALICE", By::Themselves).await, Err(AccountError::Taken));
    assert_eq!(create("10002", By::Themselves).await, Err(AccountError::Name(NameError::Number)));
    assert_eq!(create("admin", By::Themselves).await, Err(AccountError::Name(NameError::Reserved)));
    assert!(create("admin", By::Operator).await.is_ok());
    let empty = Wanted { password: String::new(), ..wanted(None) };
    assert_eq!(
        accounts.create(empty, By::Themselves).await,
        Err(AccountError::Password(PasswordError::Empty))
    );
    assert_eq!(accounts.store.account_count().await.unwrap(), 2);

    let said = StanzaError::from(AccountError::Name(NameError::Number));
    assert_eq!(said.condition, "not-acceptable");
    let text = "A name cannot consist of digits only, because numbers are given by the server.";
    assert_eq!(said.text.as_deref(), Some(text));
    assert_eq!(StanzaError::from(AccountError::Taken).condition, "conflict");
    assert_eq!(StanzaError::from(AccountError::Name(NameError::Reserved)).condition, "conflict");
}

#[tokio::test]
async fn an_invitation_is_used_up() {
    let (_folder, accounts) = open().await;
    let tomorrow = Timestamp(accounts.env.now().0 + 86_400_000);
    let offer = Offer { account: true, ..Offer::default() };
    let token = accounts.invite(1, tomorrow, None, offer.clone(), 9).await.unwrap();
    let invited = |token: &str| {
        let wanted = Wanted { invite: Some(accounts.shown(token)), ..wanted(None) };
        accounts.create(wanted, By::Themselves)
    };
    assert!(invited(&format!(" {} ", token.to_uppercase())).await.is_ok());
    assert_eq!(invited(&token).await, Err(AccountError::Invite));
    assert_eq!(invited("unknown").await, Err(AccountError::Invite));
    let expired = accounts.invite(1, accounts.env.now(), None, offer, 9).await.unwrap();
    assert_eq!(invited(&expired).await, Err(AccountError::Invite));
}

#[tokio::test]
async fn an_invitation_may_have_a_name() {
    let (_folder, accounts) = open().await;
    let tomorrow = Timestamp(accounts.env.now().0 + 86_400_000);
    let offer = Offer { account: true, name: Some("support".to_owned()), ..Offer::default() };
    let token = accounts.invite(1, tomorrow, None, offer, 9).await.unwrap();
    let create = |name, invite| accounts.create(Wanted { invite, ..wanted(name) }, By::Themselves);
    let invite = Some(accounts.shown(&token));
    assert_eq!(create(Some("support"), None).await, Err(AccountError::Name(NameError::Reserved)));
    assert_eq!(create(Some("alice"), invite).await, Err(AccountError::Meant("support".to_owned())));
    let by_operator = accounts.create(wanted(Some("support")), By::Operator).await;
    assert_eq!(by_operator, Err(AccountError::Taken), "it is kept for whom it is meant");
    let made = create(None, invite).await.unwrap();
    assert_eq!(accounts.address(&made).as_str(), "support@example.org");
}

#[test]
fn links_lead_to_a_contact_an_account_or_a_name() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_folder, accounts) = runtime.block_on(open());
    let inviter = BareJid::new("r\u{f6}meo@example.org").unwrap();
    let link = |account, contact, name: Option<&str>| {
        let offer = Offer { account, contact, name: name.map(str::to_owned), group: None };
        accounts.links("t", &offer, Some(&inviter))
    };
    assert_eq!(link(true, true, None).uri, "xmpp:r%C3%B6meo@example.org?roster;preauth=t;ibr=y");
    assert_eq!(link(false, true, None).uri, "xmpp:r%C3%B6meo@example.org?roster;preauth=t");
    assert_eq!(link(true, true, Some("juliet")).uri, "xmpp:juliet@example.org?register;preauth=t");
    assert_eq!(link(true, false, None).uri, "xmpp:example.org?register;preauth=t");
    assert_eq!(link(true, false, None).page, None);
    let reached = accounts.reached_at(Some("https://example.org".to_owned()));
    let page = reached.links("t", &Offer::default(), None).page;
    assert_eq!(page.as_deref(), Some("https://example.org/invite/t"));
}

#[tokio::test]
async fn passwords_are_kept_as_keys_and_changed() {
    let (_folder, accounts) = open().await;
    let uid = accounts.create(wanted(None), By::Themselves).await.unwrap().uid;
    let keys = || async {
        let kept = accounts.store.credentials(uid).await.unwrap().unwrap();
        Credentials::from_bytes(&kept.0).unwrap()
    };
    assert!(keys().await.verify_plain("secret"));
    accounts.set_password(uid, "other".to_owned(), Vec::new()).await.unwrap();
    assert!(keys().await.verify_plain("other"));
    assert!(!keys().await.verify_plain("secret"));
    assert_eq!(
        accounts.set_password(Uid(99), "other".to_owned(), Vec::new()).await,
        Err(AccountError::NotFound)
    );
}

#[tokio::test]
async fn an_import_answers_for_each_line() {
    let (_folder, accounts) = open().await;
    accounts.create(wanted(Some("taken")), By::Operator).await.unwrap();
    let mut many: Vec<Wanted> = (0..20).map(|i| wanted(Some(&format!("user{i}")))).collect();
    many[3] = wanted(Some("taken"));
    many[7] = wanted(Some("no name"));
    many[11] = wanted(Some("user1"));
    many[15] = wanted(None);
    let outcomes = accounts.import(many, Some(1)).await.unwrap();
    assert_eq!(outcomes.len(), 20);
    assert_eq!(outcomes[3], Err(AccountError::Taken));
    assert_eq!(outcomes[7], Err(AccountError::Name(NameError::Invalid)));
    assert_eq!(outcomes[11], Err(AccountError::Taken));
    assert_eq!(outcomes[15].as_ref().unwrap().name, None);
    assert_eq!(outcomes[19].as_ref().unwrap().name.as_deref(), Some("user19"));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 17);
    assert!(accounts.import(Vec::new(), None).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_imported_address_is_a_name_here() {
    let (_folder, accounts) = open().await;
    assert_eq!(accounts.name_of("alice@example.org"), Ok(Some("alice".to_owned())));
    assert_eq!(accounts.name_of("alice"), Ok(Some("alice".to_owned())));
    assert_eq!(accounts.name_of(""), Ok(None));
    assert!(accounts.name_of("alice@example.net").is_err());
}
