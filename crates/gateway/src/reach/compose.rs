//! What a sending says. Ways differ in their room, so the most important comes first, and the code last only where there is room
//! for all; each way shortens the text at its end, and adds the code from [`rookery_store::NewSending::code`] if it was cut.

use super::limits;
use rookery_core::Core;
use rookery_core::env::Env;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::{Case, Entry, Flags, NewSending, Plan, Result, Rule, Tells, Way};

/// The sending of a rule about the messages of a case, of which there are `count`.
pub(super) async fn sending(
    core: &Core,
    case: &Case,
    plan: &Plan,
    rule: &Rule,
    (entries, count): (&[Entry], u64),
) -> Result<NewSending> {
    let who = match plan.tells {
        Tells::Nothing => None,
        Tells::Sender | Tells::Text => Some(name(core, case).await?),
    };
    let bodies: Vec<String> = match plan.tells {
        Tells::Text => entries.iter().map(body).collect(),
        Tells::Nothing | Tells::Sender => Vec::new(),
    };
    // A mail is answered as a mail.
    let code = match rule.way {
        Way::Mail => String::new(),
        Way::Sms | Way::Pager => digits(&core.env, limits::CODE_DIGITS),
    };
    let title = title(who.as_deref(), count, &core.policy.domain);
    let text = match rule.way {
        Way::Mail => long(&title, &bodies, count),
        Way::Sms | Way::Pager => short(who.as_deref(), &title, &bodies, &code),
    };
    Ok(NewSending {
        uid: case.uid,
        way: rule.way,
        address: rule.address.clone(),
        urgency: case.urgency,
        case: Some(case.id),
        title: cut(title, rookery_store::limits::SENDING_TITLE_BYTES),
        text: cut(text, rookery_store::limits::SENDING_TEXT_BYTES),
        code,
        at: core.env.now(),
    })
}

/// What the recipient calls who wrote, or the address.
async fn name(core: &Core, case: &Case) -> Result<String> {
    let item = core.store.roster_item(case.uid, &case.peer).await?;
    let name = item.and_then(|item| item.name).filter(|name| !name.is_empty());
    Ok(name.unwrap_or_else(|| case.peer.to_string()))
}

/// What one message says, in one line.
fn body(entry: &Entry) -> String {
    if entry.flags.has(Flags::ENCRYPTED) {
        return "(encrypted)".into();
    }
    let stanza = Stanza::parse(&entry.stanza).ok();
    let text = stanza.and_then(|it| Some(it.child(ns::CLIENT, "body")?.text().into_owned()));
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn title(who: Option<&str>, count: u64, domain: &str) -> String {
    match (who, count) {
        (Some(who), 1) => format!("A message from {who}"),
        (Some(who), _) => format!("{count} messages from {who}"),
        (None, 1) => format!("A message waits at {domain}"),
        (None, _) => format!("{count} messages wait at {domain}"),
    }
}

fn long(title: &str, bodies: &[String], count: u64) -> String {
    let mut text = format!("{title}\n");
    for body in bodies {
        text.push_str(&format!("\n- {body}"));
    }
    let more = count.saturating_sub(bodies.len() as u64);
    if more > 0 && !bodies.is_empty() {
        text.push_str(&format!("\n({more} more)"));
    }
    text
}

fn short(who: Option<&str>, title: &str, bodies: &[String], code: &str) -> String {
    // What came last says most.
    let said = match (who, bodies) {
        (Some(who), [_, ..]) => format!("{who}: {}", bodies.join(" / ")),
        _ => title.to_owned(),
    };
    format!("{said} [{code}]")
}

/// So many random digits.
pub(super) fn digits(env: &Env, count: u32) -> String {
    // Of 2^64 the remainder is even enough for a code that few may try.
    let number = u64::from_le_bytes(env.bytes()) % 10_u64.pow(count);
    format!("{number:0width$}", width = count as usize)
}

fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_depends_on_the_way_and_on_what_may_be_told() {
        let said = ["come".to_owned(), "room 3".to_owned()];
        assert_eq!(short(Some("Romeo"), "", &said, "4711"), "Romeo: come / room 3 [4711]");
        let title = title(None, 2, "example.org");
        assert_eq!(short(None, &title, &[], "4711"), "2 messages wait at example.org [4711]");
        assert_eq!(long("2 messages from Romeo", &said, 2), "2 messages from Romeo\n\n- come\n- room 3");
        assert!(long("t", &said, 5).ends_with("(3 more)"));
        assert_eq!(digits(&Env::virtual_from(1), 4).len(), 4);
    }
}
