//! How one wants to be reached while one is not here, in a way of our own that docs/extensions.md describes:
//!
//! ```xml
//! <iq type='get'><settings xmlns='https://rookery.im/protocol/reach'/></iq>
//! <iq type='set'><address xmlns='https://rookery.im/protocol/reach' way='sms'>+49 171 1234567</address></iq>
//! ```
//!
//! What the rules mean is in [`crate::reach`] and the gateways.

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use crate::{Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Hours, MayBeUrgent, NewSending, Plan, Proven, ReachAddress, Rule, Tells, Urgency, Way};

/// A protocol of our own.
pub const INFO: Xep = Xep {
    number: "our own",
    name: "Reach me",
    version: "0",
    server: &[],
    account: &[ns::REACH],
    note: "Rules by which people are told of messages by mail, SMS and pagers, and what senders are told of it: \
           [extensions](extensions.md#reaching-people-who-are-not-here).",
};

/// Sendings of one's own that are shown.
const SHOWN: usize = 20;

/// All that one has set, and the ways that there are.
pub async fn settings(ctx: &Ctx<'_>) -> Answer {
    let uid = ctx.member.uid;
    let plan = ctx.core.store.reach_plan(uid).await.map_err(store_error)?.unwrap_or_default();
    let addresses = ctx.core.store.reach_addresses(uid).await.map_err(store_error)?;
    let mut x = Xml::new();
    x.open_ns("settings", ns::REACH);
    x.attr("active", if plan.active { "true" } else { "false" }).attr("zone", &plan.zone);
    if plan.away {
        x.attr("away", "true");
    }
    x.attr("urgent", urgent_name(plan.urgent)).attr("tells", tells_name(plan.tells));
    for offer in &ctx.core.policy.reach.ways {
        x.open("way").attr("name", offer.way.name()).close();
    }
    if let Some(quiet) = plan.quiet {
        x.open("quiet").attr("from", &clock(quiet.from)).attr("to", &clock(quiet.to)).close();
    }
    for address in &addresses {
        write_address(&mut x, address);
    }
    for rule in &plan.rules {
        write_rule(&mut x, rule);
    }
    for jid in &plan.allowed {
        x.open("allow").attr("jid", jid.as_str()).close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

fn write_address(x: &mut Xml, address: &ReachAddress) {
    let verified = if address.verified { "true" } else { "false" };
    x.open("address").attr("way", address.way.name()).attr("verified", verified);
    x.text(&address.address).close();
}

fn write_rule(x: &mut Xml, rule: &Rule) {
    x.open("rule").attr("way", rule.way.name()).attr("address", &rule.address);
    x.attr("after", &rule.after.to_string()).attr("least", rule.least.name());
    x.attr("unread", if rule.unread { "true" } else { "false" });
    if let Some(hours) = rule.hours {
        x.attr("from", &clock(hours.from)).attr("to", &clock(hours.to));
    }
    x.close();
}

/// Replaces all but the addresses.
pub async fn set_settings(ctx: &Ctx<'_>, settings: &Child<'_>) -> Answer {
    let zone = settings.attr("zone").unwrap_or_default().into_owned();
    if !zone.is_empty() && jiff::tz::TimeZone::get(&zone).is_err() {
        return Err(StanzaError::not_acceptable().text("There is no such time zone."));
    }
    let mut plan = Plan {
        active: flag(settings, "active"),
        zone,
        quiet: None,
        urgent: match settings.attr("urgent").as_deref() {
            None | Some("named") => MayBeUrgent::Named,
            Some("contacts") => MayBeUrgent::Contacts,
            Some(_) => return Err(wrong("urgent")),
        },
        tells: match settings.attr("tells").as_deref() {
            None | Some("text") => Tells::Text,
            Some("sender") => Tells::Sender,
            Some("nothing") => Tells::Nothing,
            Some(_) => return Err(wrong("tells")),
        },
        ..Plan::default()
    };
    for child in settings.children().filter(|child| child.ns() == ns::REACH) {
        match child.name() {
            "quiet" => plan.quiet = hours(&child)?,
            "rule" => plan.rules.push(rule(&child)?),
            "allow" => plan.allowed.push(ctx.core.canonical(jid(&child)?).await?),
            // They are changed by themselves.
            "way" | "address" => {}
            _ => return Err(wrong("settings")),
        }
    }
    plan.allowed.sort();
    plan.allowed.dedup();
    ctx.core.set_reach_plan(ctx.member.uid, plan).await?;
    Ok(Reply::Empty)
}

fn rule(child: &Child<'_>) -> Result<Rule, StanzaError> {
    let after = child.attr("after").and_then(|after| after.parse().ok()).ok_or_else(|| wrong("after"))?;
    let least = child.attr("least").map_or(Some(Urgency::Normal), |least| Urgency::from_name(&least));
    Ok(Rule {
        way: way(child)?,
        address: child.attr("address").ok_or_else(|| wrong("address"))?.into_owned(),
        after,
        unread: flag(child, "unread"),
        least: least.ok_or_else(|| wrong("least"))?,
        hours: hours(child)?,
    })
}

/// Adds an address of one's own: a code goes there, by which it is proven. The answer has the address as it is kept.
pub async fn add_address(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let (way, address) = named(ctx, payload)?;
    let core = ctx.core;
    let code = digits(core.env.bytes(), PROOF_DIGITS);
    let domain = &core.policy.domain;
    let title = format!("Your code for {domain}");
    let text = format!("{code} is the code by which {} at {domain} is reached here.", ctx.member.address);
    let sending = sending(ctx, way, address.clone(), title, text, code);
    core.store.add_reach_address(sending, core.policy.reach.caps).await.map_err(store_error)?;
    core.reaching.notify_one();
    let mut x = Xml::new();
    x.open_ns("address", ns::REACH).attr("way", way.name()).attr("verified", "false").text(&address).close();
    Ok(Reply::Payload(x.into_vec()))
}

/// Digits of a code that proves an address.
const PROOF_DIGITS: u32 = 6;

fn digits(random: [u8; 8], count: u32) -> String {
    format!("{:0width$}", u64::from_le_bytes(random) % 10_u64.pow(count), width = count as usize)
}

/// Proves an address by its code.
pub async fn prove(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let (way, address) = named(ctx, payload)?;
    let code: String =
        payload.attr("code").unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let (uid, now) = (ctx.member.uid, ctx.core.env.now());
    match ctx.core.store.prove_reach_address(uid, way, address, code, now).await.map_err(store_error)? {
        Proven::Yes => Ok(Reply::Empty),
        Proven::Wrong => Err(StanzaError::not_acceptable().text("This is another code.")),
        Proven::Over => {
            Err(StanzaError::item_not_found().text("The code is not good any more: ask for a new one."))
        }
    }
}

/// Removes an address, and the rules that name it.
pub async fn remove(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    // As it is kept: the way may not be offered any more.
    let (way, address) = (way(payload)?, payload.text().into_owned());
    let (uid, now) = (ctx.member.uid, ctx.core.env.now());
    if !ctx.core.store.remove_reach_address(uid, way, address, now).await.map_err(store_error)? {
        return Err(StanzaError::item_not_found());
    }
    ctx.core.directory.changed(uid);
    Ok(Reply::Empty)
}

/// Sends a test to an address of one's own.
pub async fn test(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let (way, address) = named(ctx, payload)?;
    let known = ctx.core.store.reach_addresses(ctx.member.uid).await.map_err(store_error)?;
    if !known.iter().any(|it| it.verified && it.way == way && it.address == address) {
        return Err(StanzaError::item_not_found().text("This address is not proven to be yours."));
    }
    let title = format!("A test from {}", ctx.core.policy.domain);
    let text = format!("This is how {} is reached here.", ctx.member.address);
    let sending = sending(ctx, way, address, title, text, String::new());
    let caps = ctx.core.policy.reach.caps;
    let id = ctx.core.store.queue_sending(sending, caps).await.map_err(store_error)?;
    ctx.core.reaching.notify_one();
    let mut x = Xml::new();
    x.open_ns("sending", ns::REACH).attr("id", &id.0.to_string()).close();
    Ok(Reply::Payload(x.into_vec()))
}

/// What was sent to reach oneself, the newest first.
pub async fn sendings(ctx: &Ctx<'_>) -> Answer {
    let sendings = ctx.core.store.sendings(ctx.member.uid, None, SHOWN).await.map_err(store_error)?;
    let mut x = Xml::new();
    x.open_ns("sendings", ns::REACH);
    for sending in &sendings {
        let what = &sending.what;
        x.open("sending").attr("id", &sending.id.0.to_string()).attr("way", what.way.name());
        x.attr("address", &what.address).attr("state", sending.state.name());
        x.attr("at", &stamp(what.at)).attr("changed", &stamp(sending.changed));
        x.opt("why", Some(&sending.trouble).filter(|why| !why.is_empty())).close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

fn sending(
    ctx: &Ctx<'_>,
    way: Way,
    address: String,
    title: String,
    text: String,
    code: String,
) -> NewSending {
    let (uid, at) = (ctx.member.uid, ctx.core.env.now());
    NewSending { uid, way, address, urgency: Urgency::Important, case: None, title, text, code, at }
}

/// The way and the address that a request names, in the way's own form.
fn named(ctx: &Ctx<'_>, payload: &Child<'_>) -> Result<(Way, String), StanzaError> {
    let way = way(payload)?;
    let offer = ctx.core.policy.reach.ways.iter().find(|offer| offer.way == way);
    let offer = offer.ok_or_else(|| StanzaError::item_not_found().text("There is no such way here."))?;
    let address = (offer.canonical)(payload.text().trim());
    let address =
        address.ok_or_else(|| StanzaError::not_acceptable().text("This is no address of this way."))?;
    Ok((way, address))
}

fn way(child: &Child<'_>) -> Result<Way, StanzaError> {
    child.attr("way").and_then(|way| Way::from_name(&way)).ok_or_else(|| wrong("way"))
}

fn jid(child: &Child<'_>) -> Result<BareJid, StanzaError> {
    let jid = child.attr("jid").unwrap_or_default();
    BareJid::new(&jid).map_err(|_| StanzaError::jid_malformed().text("This is no address."))
}

fn hours(child: &Child<'_>) -> Result<Option<Hours>, StanzaError> {
    match (child.attr("from"), child.attr("to")) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) => {
            let hours = minutes(&from).zip(minutes(&to)).filter(|(from, to)| from != to);
            hours.map(|(from, to)| Some(Hours { from, to })).ok_or_else(|| wrong("hours"))
        }
        _ => Err(wrong("hours")),
    }
}

/// `07:30`, in minutes.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn flag(child: &Child<'_>, name: &str) -> bool {
    child.attr(name).is_some_and(|value| matches!(value.as_ref(), "true" | "1"))
}

fn urgent_name(urgent: MayBeUrgent) -> &'static str {
    match urgent {
        MayBeUrgent::Named => "named",
        MayBeUrgent::Contacts => "contacts",
    }
}

fn tells_name(tells: Tells) -> &'static str {
    match tells {
        Tells::Nothing => "nothing",
        Tells::Sender => "sender",
        Tells::Text => "text",
    }
}

fn wrong(what: &str) -> StanzaError {
    StanzaError::bad_request().text(format!("This is not what is said of {what}."))
}
