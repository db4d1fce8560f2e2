//! Commands about reports of spam and abuse, and about whom this server has nothing to do with.

use rookery_core::accounts::AccountError;
use rookery_core::reports::{self, Refusal, Verdict};
use rookery_core::{denied, store_error};
use rookery_proto::error::StanzaError;
use rookery_store::{Outcome, Reason, Report};

use super::admin::Admin;
use super::{BlockedRow, REPORTS_PART, ReportOutcome, ReportRow, ReportedMessage, Response};

/// Who decides on the command line.
const OPERATOR: &str = "operator";

impl From<ReportOutcome> for Outcome {
    fn from(outcome: ReportOutcome) -> Outcome {
        match outcome {
            ReportOutcome::Dismissed => Outcome::Dismissed,
            ReportOutcome::Disabled => Outcome::Disabled,
            ReportOutcome::Blocked => Outcome::Denied,
            ReportOutcome::ServerBlocked => Outcome::ServerDenied,
            ReportOutcome::Removed => Outcome::Removed,
        }
    }
}

impl From<Outcome> for ReportOutcome {
    fn from(outcome: Outcome) -> ReportOutcome {
        match outcome {
            Outcome::Dismissed => ReportOutcome::Dismissed,
            Outcome::Disabled => ReportOutcome::Disabled,
            Outcome::Denied => ReportOutcome::Blocked,
            Outcome::ServerDenied => ReportOutcome::ServerBlocked,
            Outcome::Removed => ReportOutcome::Removed,
        }
    }
}

fn refused(why: impl std::fmt::Display) -> Response {
    Response::Refused { why: why.to_string() }
}

/// A stanza's error, for a person who sent no stanza.
fn unfit(error: StanzaError) -> Response {
    refused(error.text.unwrap_or_else(|| format!("It was refused: {}.", error.condition)))
}

impl Admin {
    pub(super) async fn list_reports(
        &self,
        closed: bool,
        before: Option<u64>,
    ) -> Result<Response, AccountError> {
        let mut reports = Vec::new();
        for report in self.store.reports(!closed, before, REPORTS_PART).await? {
            reports.push(self.report_row(report).await?);
        }
        Ok(Response::Reports { reports })
    }

    pub(super) async fn show_report(&self, id: u64) -> Response {
        match self.report(id).await {
            Ok(Some(report)) => report,
            Ok(None) => refused(Refusal::Unknown),
            Err(error) => refused(error.sentence()),
        }
    }

    async fn report(&self, id: u64) -> Result<Option<Response>, AccountError> {
        let Some((report, evidence)) = self.store.report(id).await? else { return Ok(None) };
        let record = self.store.record(report.behind.as_ref().unwrap_or(&report.reported)).await?;
        let messages = evidence.iter().map(|copy| ReportedMessage {
            at: copy.at.0,
            text: reports::legible(copy),
            xml: String::from_utf8_lossy(&copy.stanza).into_owned(),
        });
        Ok(Some(Response::Report {
            messages: messages.collect(),
            report: self.report_row(report).await?,
            reports: record.reports,
            reporters: record.reporters,
        }))
    }

    async fn report_row(&self, report: Report) -> Result<ReportRow, AccountError> {
        let reporter = self.store.account(report.reporter).await?;
        let reporter = reporter.map(|account| self.accounts.address(&account).to_string());
        Ok(ReportRow {
            id: report.id,
            at: report.at.0,
            reason: match report.reason {
                Reason::Spam => "spam".to_owned(),
                Reason::Abuse => "abuse".to_owned(),
            },
            reported: reports::who(&report, &self.accounts),
            reporter: reporter.unwrap_or_else(|| report.reporter.to_string()),
            text: report.text,
            messages: report.messages,
            outcome: report.closed.map(|closing| closing.outcome.into()),
        })
    }

    pub(super) async fn close_report(&self, id: u64, outcome: ReportOutcome, all: bool) -> Response {
        let verdict = Verdict { report: id, outcome: outcome.into(), all, by: OPERATOR.to_owned() };
        let executed = match &self.running {
            Some(core) => core.judge(verdict).await,
            None => reports::judge(&self.accounts, &self.store, self.env.now(), verdict).await,
        };
        match executed {
            Ok(executed) => Response::Done { what: executed.sentence() },
            Err(refusal) => refused(refusal),
        }
    }

    pub(super) async fn set_blocked(&self, jids: Vec<String>, blocked: bool) -> Response {
        let entries = jids.iter().map(|text| denied::entry(text, &self.accounts));
        let entries: Vec<String> = match entries.collect() {
            Ok(entries) => entries,
            Err(error) => return unfit(error),
        };
        let changed = match (&self.running, blocked) {
            (Some(core), _) => core.set_denied(entries, blocked, OPERATOR).await,
            (None, true) => self.store.deny(entries, self.env.now(), OPERATOR).await.map_err(store_error),
            (None, false) => self.store.undeny(entries).await.map_err(store_error),
        };
        match (changed, blocked) {
            (Err(error), _) => unfit(error),
            (Ok(0), true) => Response::Done { what: "All of this was blocked already.".to_owned() },
            (Ok(0), false) => refused("Nothing of this was blocked: see `rookery block list`."),
            (Ok(_), true) => Response::Done { what: "It is blocked for everybody here.".to_owned() },
            (Ok(_), false) => Response::Done { what: "It is not blocked any more.".to_owned() },
        }
    }

    pub(super) async fn list_blocked(&self) -> Result<Response, AccountError> {
        let denied = self.store.denied().await?.into_iter();
        let blocked = denied.map(|one| BlockedRow { jid: one.jid, at: one.at.0, by: one.by }).collect();
        Ok(Response::Blocked { blocked })
    }
}
