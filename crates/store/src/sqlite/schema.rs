//! The numbered migrations and their runner.

use rusqlite::{Connection, TransactionBehavior};

use crate::{Result, StoreError};

/// Marks the file as ours (`PRAGMA application_id`): "Rook".
const APPLICATION: u32 = 0x526f_6f6b;

/// Each brings the schema from its index to the next version. What was released never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_commands.sql"),
    include_str!("migrations/0003_devices.sql"),
    include_str!("migrations/0004_personal.sql"),
    include_str!("migrations/0005_privacy.sql"),
    include_str!("migrations/0006_notices.sql"),
    include_str!("migrations/0007_groups.sql"),
    include_str!("migrations/0008_inbox.sql"),
    include_str!("migrations/0009_invitations.sql"),
    include_str!("migrations/0010_files.sql"),
    include_str!("migrations/0011_moderation.sql"),
    include_str!("migrations/0012_directory.sql"),
    include_str!("migrations/0013_push.sql"),
    include_str!("migrations/0014_pace.sql"),
    include_str!("migrations/0015_review.sql"),
    include_str!("migrations/0016_search.sql"),
    include_str!("migrations/0017_promised.sql"),
    include_str!("migrations/0018_own_files.sql"),
    include_str!("migrations/0019_push_told.sql"),
    include_str!("migrations/0020_groups_read.sql"),
    include_str!("migrations/0021_reports_in_groups.sql"),
    include_str!("migrations/0022_factor.sql"),
    include_str!("migrations/0023_push_since.sql"),
    include_str!("migrations/0024_links.sql"),
    include_str!("migrations/0025_hats.sql"),
    include_str!("migrations/0026_block_lists.sql"),
    include_str!("migrations/0027_service.sql"),
    include_str!("migrations/0028_public_devices.sql"),
    include_str!("migrations/0029_quotas.sql"),
    include_str!("migrations/0030_mail.sql"),
    include_str!("migrations/0031_sendings.sql"),
    include_str!("migrations/0032_mail_reports.sql"),
    include_str!("migrations/0033_imap.sql"),
    include_str!("migrations/0034_reach.sql"),
    include_str!("migrations/0035_calls.sql"),
    include_str!("migrations/0036_pagers.sql"),
    include_str!("migrations/0037_tickets.sql"),
    include_str!("migrations/0038_submission.sql"),
    include_str!("migrations/0039_sms.sql"),
    include_str!("migrations/0040_sms_taken.sql"),
    include_str!("migrations/0041_phones.sql"),
    include_str!("migrations/0042_reminders.sql"),
    include_str!("migrations/0043_duty.sql"),
    include_str!("migrations/0044_junk.sql"),
];

/// Brings the schema up to date, each step in a transaction of its own. Refuses a newer store and a strange file.
pub(super) fn migrate(conn: &mut Connection) -> Result<()> {
    let known = MIGRATIONS.len() as u32;
    loop {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: u32 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let application: u32 = tx.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let objects: u32 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let ours = application == APPLICATION || (version == 0 && objects == 0);
        if !ours {
            return Err(StoreError::Corrupt);
        }
        if version > known {
            return Err(StoreError::NewerSchema { found: version, known });
        }
        let Some(migration) = MIGRATIONS.get(version as usize) else { return Ok(()) };
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "application_id", APPLICATION)?;
        tx.pragma_update(None, "user_version", version + 1)?;
        tx.commit()?;
    }
}
