//! IDLE (RFC 9051 §6.3.13): the account's bell rings, and what is new is told.

use super::limits;
use super::session::{Answer, Handled, Session};

impl Session {
    /// Until the program says that it has waited enough.
    pub(super) async fn idle(&mut self) -> Handled {
        let Some(mut bell) = self.bell.clone() else { return Answer::bad("Sign in first") };
        self.wire.say("+ Waiting");
        loop {
            // What came between two commands is told first; a ring after this is heard below.
            bell.mark_unchanged();
            if let Err(error) = self.sync(true).await? {
                return Answer::trouble(&error);
            }
            self.wire.flush().await?;
            if let Some(line) = self.wire.line(limits::STRANGERS_COMMAND)? {
                return match line.eq_ignore_ascii_case(b"DONE") {
                    true => Answer::ok("Waited"),
                    false => Answer::bad("This is how nobody ends waiting"),
                };
            }
            tokio::select! {
                came = self.wire.fill() => came?,
                rung = bell.changed() => {
                    if rung.is_err() || !self.is_here().await {
                        self.wire.say("* BYE This account cannot be used any more");
                        return Ok(Answer::End);
                    }
                }
                () = tokio::time::sleep(limits::STILL_HERE) => {
                    if !self.is_here().await {
                        self.wire.say("* BYE This account cannot be used any more");
                        return Ok(Answer::End);
                    }
                    self.wire.say("* OK Still here");
                }
            }
        }
    }
}
