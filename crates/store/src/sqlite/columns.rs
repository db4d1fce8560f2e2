//! Our types as columns.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef};

use crate::{
    AddressKind, DeviceId, FileHash, FilePurpose, FileToken, Flags, InviteHash, StreamId, Timestamp,
    TokenSeed,
};

/// A number as SQLite keeps it. What does not fit is greater than all that is kept.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A position from its column.
pub(super) fn useq(row: &Row<'_>, column: usize) -> rusqlite::Result<Useq> {
    Ok(Useq(row.get::<_, i64>(column)? as u64))
}

/// An account's number from its column.
pub(super) fn uid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uid> {
    Ok(Uid(row.get::<_, i64>(column)? as u64))
}

/// An address from its column.
pub(super) fn jid(row: &Row<'_>, column: usize) -> rusqlite::Result<BareJid> {
    let text = row.get_ref(column)?.as_str()?;
    BareJid::new(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Timestamp> {
        value.as_i64().map(Timestamp)
    }
}

impl ToSql for Flags {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Flags {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Flags> {
        u32::column_result(value).map(Flags)
    }
}

impl ToSql for StreamId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.as_slice().to_sql()
    }
}

impl ToSql for InviteHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.as_slice().to_sql()
    }
}

impl FromSql for InviteHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<InviteHash> {
        <[u8; 32]>::column_result(value).map(InviteHash)
    }
}

impl ToSql for DeviceId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.as_slice().to_sql()
    }
}

impl FromSql for DeviceId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<DeviceId> {
        <[u8; 10]>::column_result(value).map(DeviceId)
    }
}

impl ToSql for TokenSeed {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.as_slice().to_sql()
    }
}

impl FromSql for TokenSeed {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<TokenSeed> {
        <[u8; 16]>::column_result(value).map(TokenSeed)
    }
}

impl ToSql for AddressKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let kind: i64 = match self {
            AddressKind::Local => 0,
            AddressKind::V4 => 1,
            AddressKind::V6 => 2,
        };
        Ok(kind.into())
    }
}

impl FromSql for AddressKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<AddressKind> {
        match value.as_i64()? {
            0 => Ok(AddressKind::Local),
            1 => Ok(AddressKind::V4),
            2 => Ok(AddressKind::V6),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for FileToken {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for FileToken {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<FileToken> {
        FileToken::new(value.as_str()?.as_bytes()).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for FileHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.as_slice().to_sql()
    }
}

impl FromSql for FileHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<FileHash> {
        <[u8; 32]>::column_result(value).map(FileHash)
    }
}

impl ToSql for FilePurpose {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let purpose: i64 = match self {
            FilePurpose::Message => 0,
            FilePurpose::Profile => 1,
            FilePurpose::Ephemeral => 2,
            FilePurpose::Permanent => 3,
        };
        Ok(purpose.into())
    }
}

impl FromSql for FilePurpose {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<FilePurpose> {
        match value.as_i64()? {
            0 => Ok(FilePurpose::Message),
            1 => Ok(FilePurpose::Profile),
            2 => Ok(FilePurpose::Ephemeral),
            3 => Ok(FilePurpose::Permanent),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}
