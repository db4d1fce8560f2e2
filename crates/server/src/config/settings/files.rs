//! `[files]`

use super::super::value;
use super::{MEGABYTES, Section, Setting, YEARS_100, put};

pub(super) const SECTION: Section = Section {
    name: "files",
    about: "Files that people share (XEP-0363): docs/files.md.",
    settings: &[
        Setting {
            key: "files.largest_mb",
            default: "100",
            about: "The largest file, in megabytes. With 0 there are no uploads. A reverse proxy must let bodies of this size \
                pass.",
            set: |config, value| {
                put(
                    &mut config.files_largest,
                    value::number(value, 0..=MEGABYTES).map(|mb: u64| mb * 1_000_000),
                )
            },
        },
        Setting {
            key: "files.quota_mb",
            default: "2000",
            about: "Megabytes that the files of one account may take; 0 is no limit. It is told before an upload that has no \
                room.",
            set: |config, value| {
                let mb: u64 = value::number(value, 0..=MEGABYTES)?;
                put(&mut config.files_quota, Ok(Some(mb * 1_000_000).filter(|bytes| *bytes > 0)))
            },
        },
        Setting {
            key: "files.total_gb",
            default: "0",
            about: "Gigabytes that all files together may take; 0 is as much as the disk has.",
            set: |config, value| {
                let gb: u64 = value::number(value, 0..=MEGABYTES)?;
                put(&mut config.files_total, Ok(Some(gb * 1_000_000_000).filter(|bytes| *bytes > 0)))
            },
        },
        Setting {
            key: "files.unnamed_days",
            default: "30",
            about: "A file goes with the last message that names it. One that no message is seen to name goes after so many \
                days; 0 keeps it. Messages that are encrypted end to end name their files where the server cannot see it.",
            set: |config, value| {
                let days = value::number(value, 0..=YEARS_100)?;
                put(&mut config.files_unnamed_days, Ok(Some(days).filter(|days| *days > 0)))
            },
        },
        Setting {
            key: "files.scan_command",
            default: "\"\"",
            about: "A program that looks at each file before it is kept; it gets the file's path. 0: clean; 1: not, and the first \
                line of its output says why; anything else: it failed, and nothing is kept.",
            set: |config, value| put(&mut config.files_scan_command, value::file(value)),
        },
        Setting {
            key: "files.scan_clamd",
            default: "\"\"",
            about: "ClamAV's daemon, which looks at each file before it is kept: a socket such as \"/run/clamav/clamd.ctl\", or \
                \"127.0.0.1:3310\". Without its answer nothing is kept.",
            set: |config, value| put(&mut config.files_scan_clamd, value::text(value).map(str::to_owned)),
        },
        Setting {
            key: "files.s3_url",
            default: "\"\"",
            about: "A store of objects for the files, in place of the data directory: the address of S3, or of a service that \
                speaks its protocol, as \"https://s3.example.net\".",
            set: |config, value| {
                put(&mut config.files_s3.url, value::base_url(value).map(Option::unwrap_or_default))
            },
        },
        Setting {
            key: "files.s3_bucket",
            default: "\"\"",
            about: "The bucket, which is there already and need not be public.",
            set: |config, value| put(&mut config.files_s3.bucket, value::text(value).map(str::to_owned)),
        },
        Setting {
            key: "files.s3_region",
            default: "\"us-east-1\"",
            about: "Its region; many services do not mind.",
            set: |config, value| put(&mut config.files_s3.region, value::text(value).map(str::to_owned)),
        },
        Setting {
            key: "files.s3_key_id",
            default: "\"\"",
            about: "The id of a key that may put, get and delete objects.",
            set: |config, value| put(&mut config.files_s3.key, value::text(value).map(str::to_owned)),
        },
        Setting {
            key: "files.s3_secret",
            default: "\"\"",
            about: "The key.",
            set: |config, value| put(&mut config.files_s3.secret, value::text(value).map(str::to_owned)),
        },
    ],
};
