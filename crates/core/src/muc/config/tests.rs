use super::super::testing::answers;
use super::*;
use rookery_proto::form::Purpose;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;

fn written(form: &Form, purpose: Purpose) -> String {
    let mut x = Xml::new();
    form.write(purpose, &mut x);
    String::from_utf8(x.into_vec()).unwrap()
}

fn unusual() -> RoomConfig {
    RoomConfig {
        name: "Rook's nest & <friends>".into(),
        description: "What rooks talk about".into(),
        language: "en".into(),
        locked: false,
        persistent: true,
        public: false,
        members_only: true,
        moderated: true,
        password: Some("cawcaw".into()),
        whois: Audience::Anyone,
        history: 7,
        subject_by_participants: false,
        invites_by_members: false,
        voice_requests: false,
        private_messages: Audience::Moderators,
        presence_of: vec![Role::Moderator],
        members_seen_by: Vec::new(),
        max_occupants: Some(30),
        archived: false,
        registration: false,
        retention_days: 30,
        slow_mode: 20,
        pubsub: "xmpp:pubsub.localhost?;node=rooks".into(),
        contacts: vec!["rook@localhost".into()],
    }
}

#[test]
fn is_read_as_it_was_written_and_older_ones_too() {
    assert_eq!(RoomConfig::from_text(&unusual().to_text()), Some(unusual()));
    assert_eq!(RoomConfig::from_text("{}"), Some(RoomConfig::default()));
    assert_eq!(RoomConfig::from_text("nonsense"), None);
}

#[test]
fn a_form_that_comes_back_as_it_was_changes_nothing_and_one_that_is_filled_in_everything() {
    for config in [RoomConfig::default(), unusual()] {
        let stanza = format!("<iq>{}</iq>", written(&config.form(), Purpose::Form));
        let stanza = Stanza::parse(stanza.as_bytes()).unwrap();
        let sent_back = Answers::read(&stanza.child(ns::DATA_FORMS, "x").unwrap()).unwrap();
        assert_eq!(config.clone().with(&sent_back), Ok(config.clone()));
        assert_eq!(RoomConfig::default().with(&sent_back), Ok(config));
    }
}

#[test]
fn a_field_that_is_not_there_stays_as_it_is() {
    let one = answers(&[("muc#roomconfig_roomname", &["Nest"]), ("muc#roomconfig_unheard_of", &["1"])]);
    assert_eq!(unusual().with(&one), Ok(RoomConfig { name: "Nest".into(), ..unusual() }));
    assert_eq!(unusual().with(&answers(&[])), Ok(unusual()));
}

#[test]
fn what_cannot_be_is_refused() {
    let long = "x".repeat(limits::ROOM_TEXT + 1);
    let many = vec!["rook@localhost"; limits::ROOM_CONTACTS + 1];
    let wrong: &[(&str, &[&str])] = &[
        ("FORM_TYPE", &["http://jabber.org/protocol/muc#register"]),
        ("muc#roomconfig_membersonly", &["perhaps"]),
        ("muc#roomconfig_membersonly", &["1", "0"]),
        ("muc#roomconfig_whois", &["nobody"]),
        ("muc#roomconfig_allowpm", &["friends"]),
        ("muc#roomconfig_presencebroadcast", &["moderator", "owner"]),
        ("muc#roomconfig_maxusers", &["-1"]),
        ("muc#roomconfig_maxusers", &["many"]),
        ("muc#roomconfig_maxusers", &["99999999999999999999"]),
        ("muc#maxhistoryfetch", &["1000000"]),
        ("muc#roomconfig_slow_mode_duration", &["-20"]),
        (RETENTION, &["36501"]),
        ("muc#roomconfig_slow_mode_duration", &["4294967296"]),
        ("muc#roomconfig_passwordprotectedroom", &["1"]),
        ("muc#roomconfig_roomsecret", &[&long]),
        ("muc#roomconfig_roomname", &[&long]),
        ("muc#roominfo_contactjid", &["@@"]),
        ("muc#roominfo_contactjid", &many),
    ];
    for (var, values) in wrong {
        let seen = RoomConfig::default().with(&answers(&[(var, values)])).unwrap_err();
        assert_eq!(seen.condition, "not-acceptable", "{var} {values:?}");
    }
}

#[test]
fn passwords_come_and_go() {
    const ASKED: &str = "muc#roomconfig_passwordprotectedroom";
    const SECRET: &str = "muc#roomconfig_roomsecret";
    let after = |before: Option<&str>, fields: &[(&str, &[&str])]| {
        let config = RoomConfig { password: before.map(Into::into), ..RoomConfig::default() };
        config.with(&answers(fields)).unwrap().password
    };
    assert_eq!(after(None, &[(ASKED, &["1"]), (SECRET, &["caw"])]).as_deref(), Some("caw"));
    assert_eq!(after(Some("caw"), &[(ASKED, &["1"])]).as_deref(), Some("caw"), "it stays");
    assert_eq!(after(Some("caw"), &[(ASKED, &["1"]), (SECRET, &[""])]).as_deref(), Some("caw"), "it stays");
    assert_eq!(after(Some("caw"), &[(ASKED, &["0"]), (SECRET, &["caw"])]), None);
    assert_eq!(after(Some("caw"), &[]).as_deref(), Some("caw"));
}

#[test]
fn changes_have_their_codes() {
    let old = RoomConfig::default();
    let codes = |change: fn(&mut RoomConfig)| {
        let mut new = old.clone();
        change(&mut new);
        old.changes(&new)
    };
    assert!(codes(|_| {}).is_empty());
    assert_eq!(codes(|c| c.name = "Nest".into()), [104]);
    assert_eq!(codes(|c| c.archived = false), [171]);
    assert_eq!(codes(|c| c.whois = Audience::Anyone), [172]);
    assert_eq!(
        codes(|c| (c.whois, c.archived, c.public) = (Audience::Anyone, false, false)),
        [171, 172, 104]
    );
    let back = unusual().changes(&old);
    assert_eq!(back, [170, 173, 104]);
}

#[test]
fn disco_tells_of_which_kind_a_room_is() {
    let usual =
        ["muc_public", "muc_open", "muc_unmoderated", "muc_semianonymous", "muc_unsecured", "muc_temporary"];
    assert_eq!(RoomConfig::default().features(), usual);
    let other = [
        "muc_hidden",
        "muc_membersonly",
        "muc_moderated",
        "muc_nonanonymous",
        "muc_passwordprotected",
        "muc_persistent",
    ];
    assert_eq!(unusual().features(), other);
}

#[test]
fn disco_tells_of_a_room_and_never_its_password() {
    let facts = Facts { occupants: Some(3), subject: "Twigs", avatar: Some("da39a3ee"), hats: None };
    let info = written(&unusual().info(facts), Purpose::Result);
    for part in
        ["<value>3</value>", "<value>Twigs</value>", "rook@localhost", "da39a3ee", "<value>20</value>"]
    {
        assert!(info.contains(part), "{part} is not in {info}");
    }
    assert!(!info.contains("cawcaw"), "{info}");
    let outside = written(&unusual().info(Facts::default()), Purpose::Result);
    assert!(!outside.contains("roominfo_occupants") && !outside.contains("rook@localhost"), "{outside}");
    assert!(!written(&RoomConfig::default().info(Facts::default()), Purpose::Result).contains("avatarhash"));
}
