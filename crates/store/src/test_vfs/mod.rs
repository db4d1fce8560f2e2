//! A disk for tests: a SQLite file system that loses what was not synced, as a power cut does, and that fails or stalls
//! when told to.
//!
//! Within one process [`Faults`] controls it. A whole process under test is told by its environment: [`DISK_ENV`] says
//! which disk, [`CONTROL_ENV`] names a file that says, at any time, how it fails.

mod disk;
mod ffi;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use disk::{Disk, Plan};

/// The environment variable that gives a process a test disk: `write-back`, or `direct` for one that only fails.
pub const DISK_ENV: &str = "ROOKERY_TEST_DISK";

/// The environment variable with the path of the control file. Its words, in any order: `write=full`, `write=io`,
/// `sync=full`, `sync=io`, `sync=stall`. A missing or empty file: all is well.
pub const CONTROL_ENV: &str = "ROOKERY_TEST_DISK_CONTROL";

/// What a write that has not been synced is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// In this process' memory only: a kill loses it as a power cut would.
    WriteBack,
    /// In the file.
    Direct,
}

/// How the disk fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No room is left (`SQLITE_FULL`).
    Full,
    /// The device reports an error (`SQLITE_IOERR`).
    Io,
}

/// The control of one test disk.
#[derive(Clone)]
pub struct Faults {
    disk: Arc<Disk>,
    name: Arc<str>,
}

impl Faults {
    /// Makes a disk. `name` must be new in this process; the disk stays for the life of the process.
    pub fn new(name: &str, mode: Mode) -> Faults {
        Faults::with(name, Disk::new(mode, None))
    }

    /// The disk that the environment asks for, the same for the whole process.
    pub fn from_env() -> Option<Faults> {
        static DISK: OnceLock<Option<Faults>> = OnceLock::new();
        let made = DISK.get_or_init(|| {
            let mode = match std::env::var(DISK_ENV).ok()?.as_str() {
                "write-back" => Mode::WriteBack,
                "direct" => Mode::Direct,
                other => panic!("{DISK_ENV} is neither write-back nor direct: {other}"),
            };
            let control = std::env::var_os(CONTROL_ENV).map(PathBuf::from);
            Some(Faults::with("rookery-test-disk", Disk::new(mode, control)))
        });
        made.clone()
    }

    fn with(name: &str, disk: Disk) -> Faults {
        let disk = Arc::new(disk);
        ffi::register(name, Arc::clone(&disk));
        Faults { disk, name: name.into() }
    }

    /// The name for [`crate::Options::vfs`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether unsynced writes are lost with the process.
    pub fn is_write_back(&self) -> bool {
        self.disk.mode == Mode::WriteBack
    }

    /// Lets `after` writes pass and fails all that follow.
    pub fn fail_writes(&self, after: u32, fault: Fault) {
        self.disk.plan(|plan| plan.write = Some((after, fault)));
    }

    /// Lets `after` syncs pass and fails all that follow.
    pub fn fail_syncs(&self, after: u32, fault: Fault) {
        self.disk.plan(|plan| plan.sync = Some((after, fault)));
    }

    /// Lets syncs wait until [`Faults::resume_syncs`] or [`Faults::heal`].
    pub fn stall_syncs(&self) {
        self.disk.plan(|plan| plan.stall = true);
    }

    /// Lets waiting syncs go on, to fail if that was planned.
    pub fn resume_syncs(&self) {
        self.disk.plan(|plan| plan.stall = false);
    }

    /// All is well again.
    pub fn heal(&self) {
        self.disk.plan(|plan| *plan = Plan::default());
    }

    /// Syncs that are waiting now.
    pub fn stalled(&self) -> usize {
        self.disk.stalled()
    }

    /// Loses all that was not synced. Files that are open now fail from here on; what is opened later sees what is left.
    pub fn power_cut(&self) {
        self.disk.power_cut();
    }
}
