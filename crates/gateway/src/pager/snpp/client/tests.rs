use super::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// Speaks with a carrier that follows a script: `>` is what it must hear, `<` what it says, `|` the end of the line.
fn speak(script: &str, order: &Order<'_>) -> Handed {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let script: Vec<String> = script.lines().map(|line| line.trim().to_owned()).collect();
    runtime.block_on(async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let carrier = async move {
            let mut theirs = BufReader::new(theirs);
            for line in &script {
                match line.split_at(1) {
                    (">", expected) => {
                        let mut heard = String::new();
                        theirs.read_line(&mut heard).await.unwrap();
                        assert_eq!(heard.strip_suffix("\r\n"), Some(expected));
                    }
                    ("<", said) => theirs.write_all(format!("{said}\r\n").as_bytes()).await.unwrap(),
                    _ => return,
                }
            }
            // Until the caller has gone.
            theirs.read_line(&mut String::new()).await.ok();
        };
        tokio::join!(page(ours, order), carrier).0
    })
}

fn order(text: &'static str) -> Order<'static> {
    let (login, urgency) = (None, Urgency::Normal);
    Order { pager: "5551234", caller: "", text, urgency, login, two_way: false }
}

#[test]
fn a_page_is_handed_over() {
    let order = Order {
        login: Some(("us", "secret")),
        urgency: Urgency::Urgent,
        caller: "Ward\r\n3",
        two_way: true,
        ..order("Come\n.\nquick")
    };
    let script = "<220 ready
        >LOGI us secret\n<250 fine
        >2WAY\n<250 fine
        >PAGE 5551234\n<214 This is\n<250 fine
        >CALL Ward  3\n<500 what?
        >LEVE 0\n<250 fine
        >ALER 1\n<250-so\n<250 fine
        >DATA\n<354 go on
        >Come\n>..\n>quick\n>.\n<250 fine
        >SEND\n<960 17 4 OK
        >QUIT\n<221 bye";
    assert_eq!(speak(script, &order), Handed::Accepted(Some(Ticket { tag: 17, pass: 4 })));
}

#[test]
fn a_carrier_of_level_1_gets_one_line() {
    let script = "<220 ready\n>PAGE 5551234\n<250 fine\n>DATA\n<500 no\n>MESS Come quick\n<250 fine\n>SEND\n<250 fine\n>QUIT\n<221 bye";
    assert_eq!(speak(script, &order("Come\nquick")), Handed::Accepted(None));
}

#[test]
fn what_a_carrier_does_not_take_is_told_apart() {
    let refused = "<220 ready\n>PAGE 5551234\n<550 Invalid Pager ID.\n>QUIT\n|";
    assert_eq!(speak(refused, &order("x")), Handed::Refused("The carrier says: 550 Invalid Pager ID".into()));
    let later = "<220 ready\n>PAGE 5551234\n<250 fine\n>MESS x\n<250 fine\n>SEND\n<554 failed\n>QUIT\n|";
    assert!(matches!(speak(later, &order("x")), Handed::Deferred(_)));
    for before in ["|", "<421 full\n>QUIT\n|", "<220 ready\n>PAGE 5551234\n|", "<220 ready\n>PAGE 5551234"] {
        assert!(matches!(speak(before, &order("x")), Handed::Deferred(_)), "{before}");
    }
    // The answer is lost: it may have been taken.
    for after in ["|", ""] {
        let script = format!("<220 ready\n>PAGE 5551234\n<250 fine\n>MESS x\n<250 fine\n>SEND\n{after}");
        assert!(matches!(speak(&script, &order("x")), Handed::Unknown(_)), "{after}");
    }
    let endless = "<hello\n".repeat(limits::REPLY_LINES + 5);
    assert!(matches!(speak(&endless, &order("x")), Handed::Deferred(_)));
}
