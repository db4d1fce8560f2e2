//! What must never be: a mail that is acknowledged first and stored a moment later. Only to show that the crash test notices.

use rookery_store::{Appended, StoreError};
use std::future::Future;
use std::time::Duration;

/// Whether it is to be so.
pub(super) fn wanted() -> bool {
    std::env::var_os("ROOKERY_TEST_ACK_BEFORE_COMMIT").is_some()
}

/// Says at once that it is stored.
pub(super) fn later(store: impl Future<Output = Result<Appended, StoreError>> + Send + 'static) -> Appended {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        store.await.ok();
    });
    Appended::Stored(Default::default())
}
