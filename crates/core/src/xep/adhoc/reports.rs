//! Commands about reports of spam and abuse (XEP-0377): the queue page by page, one report, and what is done about it.

use super::{Command, Next, Turn};
use crate::env::stamp;
use crate::reports::{self, Refusal, Verdict};
use crate::{limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_store::{Evidence, Outcome, Reason, Report};

pub(super) const COMMANDS: &[Command] =
    &[Command::admin("https://rookery.im/command/reports", "Reports of spam and abuse", |turn| {
        Box::pin(queue(turn))
    })];

/// Goes through the queue as far as it was leafed through, and on to the report that was chosen.
async fn queue(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let mut before = None;
    for (n, answers) in turn.answers.iter().enumerate() {
        let choice = answers.text("report").unwrap_or_default();
        match choice.strip_prefix(OLDER) {
            Some(older) => before = Some(number(older)?),
            None => return one(turn, number(choice)?, turn.answers.get(n + 1)).await,
        }
    }
    page(turn, before).await
}

/// Before the number of a report: not this one, those that are older.
const OLDER: &str = "before ";

fn number(text: &str) -> Result<u64, StanzaError> {
    text.parse().map_err(|_| StanzaError::not_acceptable().text("This is no report."))
}

async fn page(turn: Turn<'_>, before: Option<u64>) -> Result<Next, StanzaError> {
    let page = limits::REPORTS_SHOWN;
    let reports = turn.ctx.core.store.reports(true, before, page + 1).await.map_err(store_error)?;
    if reports.is_empty() {
        return Next::done("No report waits.");
    }
    let mut field = Field::new(Kind::ListSingle, "report", "Report").required();
    for report in &reports[..reports.len().min(page)] {
        field = field.option(heading(report), report.id.to_string());
    }
    if let [.., last, _] = &reports[..]
        && reports.len() > page
    {
        field = field.option("older ones", format!("{OLDER}{}", last.id));
    }
    let text = "The newest come first. What you open is shown with what it is about.";
    Next::ask_first(Form::untyped().title("Reports of spam and abuse").instructions(text).field(field))
}

fn heading(report: &Report) -> String {
    format!("{}: {} by {}, {}", report.id, reason(report), report.reported, stamp(report.at))
}

fn reason(report: &Report) -> &'static str {
    match report.reason {
        Reason::Spam => "spam",
        Reason::Abuse => "abuse",
    }
}

/// Shows a report and asks what is to be done; then does it.
async fn one(turn: Turn<'_>, id: u64, answers: Option<&Answers>) -> Result<Next, StanzaError> {
    let (core, member) = (turn.ctx.core, turn.ctx.member);
    let Some(answers) = answers else {
        let found = core.store.report(id).await.map_err(store_error)?;
        let (report, evidence) =
            found.ok_or_else(|| StanzaError::item_not_found().text("There is no such report any more."))?;
        return Next::ask(shown(turn, &report, &evidence).await?);
    };
    let named = OUTCOMES.iter().find(|(name, ..)| Some(*name) == answers.text("action"));
    let Some((_, outcome, _)) = named else { return Next::done("The report waits on.") };
    let all = answers.flag("all") == Some(true);
    let verdict = Verdict { report: id, outcome: *outcome, all, by: member.address.to_string() };
    match core.judge(verdict).await {
        Ok(executed) => Next::done(executed.sentence()),
        Err(Refusal::Store(error)) => Err(store_error(error)),
        Err(refusal) => Err(StanzaError::not_acceptable().text(refusal.to_string())),
    }
}

/// What can be done, as the form names it.
const OUTCOMES: &[(&str, Outcome, &str)] = &[
    ("dismiss", Outcome::Dismissed, "do nothing, and close it"),
    ("remove", Outcome::Removed, "remove the messages for everybody here"),
    ("disable", Outcome::Disabled, "disable the account"),
    ("block", Outcome::Denied, "block the address for everybody here"),
    ("block-server", Outcome::ServerDenied, "block its whole server for everybody here"),
];

async fn shown(turn: Turn<'_>, report: &Report, evidence: &[Evidence]) -> Result<Form, StanzaError> {
    let core = turn.ctx.core;
    let record =
        core.store.record(report.behind.as_ref().unwrap_or(&report.reported)).await.map_err(store_error)?;
    let reporter = core.directory.member(report.reporter).await.map_err(store_error)?;
    let reporter = reporter.map_or_else(|| report.reporter.to_string(), |member| member.address.to_string());
    let fixed = |var, label, value: String| Field::new(Kind::Fixed, var, label).value(value);
    let mut form = Form::untyped()
        .title(heading(report))
        .field(fixed("reported", "Reported", reports::who(report, &core.accounts)))
        .field(fixed("reporter", "By", reporter))
        .field(fixed("record", "Reports about the same", record_of(record)));
    if !report.text.is_empty() {
        form = form.field(fixed("text", "What the reporter says", report.text.clone()));
    }
    if report.sharing.origin || report.sharing.third_party {
        let text = match (report.sharing.origin, report.sharing.third_party) {
            (true, false) => "the server of the reported",
            (false, _) => "those who work against abuse",
            (true, true) => "the server of the reported, and those who work against abuse",
        };
        form = form.field(fixed("sharing", "May be passed on to", text.to_owned()));
    }
    for (n, copy) in evidence.iter().enumerate() {
        let mut text = reports::legible(copy);
        text.truncate(text.floor_char_boundary(limits::EVIDENCE_SHOWN));
        let label = format!("Message of {}", stamp(copy.at));
        form = form.field(Field::new(Kind::Fixed, format!("message-{n}"), label).values(text.lines()));
    }
    let possible = reports::outcomes(report, &core.accounts);
    let mut action = Field::new(Kind::ListSingle, "action", "What is to be done").required();
    for (name, _, label) in OUTCOMES.iter().filter(|(_, outcome, _)| possible.contains(outcome)) {
        action = action.option(*label, *name);
    }
    let action = action.option("nothing now, it waits on", "wait").value("wait");
    let all = Field::new(Kind::Boolean, "all", "Close all reports about the same with it").ticked(true);
    Ok(form.field(action).field(all))
}

fn record_of(record: rookery_store::Record) -> String {
    let reports = match record.reports {
        1 => "one report".to_owned(),
        n => format!("{n} reports"),
    };
    let people = match record.reporters {
        1 => "one account".to_owned(),
        n => format!("{n} accounts"),
    };
    format!("{reports} of {people}, {} waiting", record.waiting)
}
