//! Commands about uploaded files.

use rookery_core::accounts::AccountError;
use rookery_proto::Uid;
use rookery_store::{Account, FileToken, ListedUpload, Timestamp, UPLOAD_MARK, UploadFilter};

use super::{Admin, FileFilter, FileRow, Response, USAGE_PART, UsageRow};

const DAY_MS: i64 = 86_400_000;

impl Admin {
    /// A part of the list.
    pub(super) async fn list_files(
        &self,
        filter: FileFilter,
        before: Option<u64>,
    ) -> Result<Response, AccountError> {
        let uid = match &filter.account {
            Some(account) => Some(self.accounts.find(account).await?.uid),
            None => None,
        };
        let days = |days: u32| Timestamp(self.env.now().0 - i64::from(days) * DAY_MS);
        let wanted = UploadFilter {
            uid,
            at_least: filter.at_least,
            media_type: filter.media_type,
            before: filter.older_days.map(days),
            unnamed: filter.unnamed,
        };
        let mut files = Vec::new();
        for listed in self.store.uploads(wanted, before).await? {
            files.push(self.file_row(listed).await?);
        }
        Ok(Response::Files { files })
    }

    async fn file_row(&self, listed: ListedUpload) -> Result<FileRow, AccountError> {
        let ListedUpload { number, upload, refs } = listed;
        Ok(FileRow {
            number,
            token: upload.token.as_str().to_owned(),
            account: self.known(upload.uid).await?,
            name: upload.name,
            media_type: upload.media_type,
            size: upload.size,
            at: upload.at.0,
            due: upload.due.map(|due| due.0),
            refs,
            arrived: upload.blob.is_some(),
        })
    }

    /// What files take: of one account, or of all in the order of their numbers.
    pub(super) async fn file_usage(
        &self,
        account: Option<String>,
        after: Option<u64>,
    ) -> Result<Response, AccountError> {
        let usages = match account {
            Some(account) => {
                let uid = self.accounts.find(&account).await?.uid;
                vec![(uid, self.store.file_usage(uid).await?)]
            }
            None => self.store.file_usages(Uid(after.unwrap_or(0)), USAGE_PART).await?,
        };
        let mut rows = Vec::with_capacity(usages.len());
        for (uid, usage) in usages {
            let account = self.known(uid).await?;
            rows.push(UsageRow { number: uid.0, account, files: usage.files, bytes: usage.bytes });
        }
        let stored = self.store.stored_files().await?;
        Ok(Response::FileUsage {
            accounts: rows,
            quota: self.quota.account,
            stored_files: stored.files,
            stored_bytes: stored.bytes,
            total: self.quota.total,
        })
    }

    /// Removes the upload of a token or an address: from now on nobody gets it.
    pub(super) async fn remove_file(&self, file: &str) -> Result<Response, AccountError> {
        let token = file.split_once(UPLOAD_MARK).map_or(file, |(_, rest)| rest);
        let token = token.split('/').next().unwrap_or_default();
        let upload = match FileToken::new(token.as_bytes()) {
            Some(token) => self.store.upload(token).await?,
            None => None,
        };
        let Some(upload) = upload else {
            let why = "There is no such file: name it as in the list, or by its address.".to_owned();
            return Ok(Response::Refused { why });
        };
        self.store.remove_upload(upload.token).await?;
        let account = self.known(upload.uid).await?;
        Ok(Response::Done { what: format!("The file {} of {account} is removed.", upload.name) })
    }

    /// How an account is called here: its address, or the number of one that is gone.
    pub(super) async fn known(&self, uid: Uid) -> Result<String, AccountError> {
        let account: Option<Account> = self.store.account(uid).await?;
        Ok(account.map_or_else(|| uid.to_string(), |account| self.accounts.address(&account).to_string()))
    }
}
