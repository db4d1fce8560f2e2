//! The safe part: the images of files in memory, and the plan of faults.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::{Fault, Mode};

/// Bytes that are written back together.
const BLOCK: usize = 4_096;

/// How the disk behaves from now on.
#[derive(Clone, Copy, Default)]
pub(super) struct Plan {
    /// Writes that still pass, and how those after them fail.
    pub(super) write: Option<(u32, Fault)>,
    /// Syncs that still pass, and how those after them fail.
    pub(super) sync: Option<(u32, Fault)>,
    /// Syncs wait.
    pub(super) stall: bool,
}

pub(super) struct Disk {
    pub(super) mode: Mode,
    /// Where a process under test is told its plan.
    control: Option<PathBuf>,
    plan: Mutex<Plan>,
    planned: Condvar,
    stalled: AtomicUsize,
    images: Mutex<HashMap<PathBuf, Arc<Image>>>,
}

impl Disk {
    pub(super) fn new(mode: Mode, control: Option<PathBuf>) -> Disk {
        Disk {
            mode,
            control,
            plan: Mutex::default(),
            planned: Condvar::new(),
            stalled: AtomicUsize::new(0),
            images: Mutex::default(),
        }
    }

    pub(super) fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock());
        self.planned.notify_all();
    }

    pub(super) fn stalled(&self) -> usize {
        self.stalled.load(Ordering::SeqCst)
    }

    /// Called before each write.
    pub(super) fn before_write(&self) -> Result<(), Fault> {
        let mut plan = self.plan.lock();
        self.obey(&mut plan);
        spend(&mut plan.write)
    }

    /// Called before each sync; waits while syncs stall.
    pub(super) fn before_sync(&self) -> Result<(), Fault> {
        let mut plan = self.plan.lock();
        self.obey(&mut plan);
        if plan.stall {
            self.stalled.fetch_add(1, Ordering::SeqCst);
            while plan.stall {
                // The control file does not notify.
                self.planned.wait_for(&mut plan, Duration::from_millis(1));
                self.obey(&mut plan);
            }
            self.stalled.fetch_sub(1, Ordering::SeqCst);
        }
        spend(&mut plan.sync)
    }

    /// Takes the plan from the control file, if there is one.
    fn obey(&self, plan: &mut Plan) {
        let Some(control) = &self.control else { return };
        *plan = Plan::default();
        for word in std::fs::read_to_string(control).unwrap_or_default().split_whitespace() {
            match word {
                "write=full" => plan.write = Some((0, Fault::Full)),
                "write=io" => plan.write = Some((0, Fault::Io)),
                "sync=full" => plan.sync = Some((0, Fault::Full)),
                "sync=io" => plan.sync = Some((0, Fault::Io)),
                "sync=stall" => plan.stall = true,
                other => panic!("an unknown word in the disk's control file: {other}"),
            }
        }
    }

    /// The file's image, shared by all who have it open. `load` reads the file if nobody has.
    pub(super) fn image(&self, path: &Path, load: impl FnOnce() -> Option<Vec<u8>>) -> Option<Arc<Image>> {
        let mut images = self.images.lock();
        if let Some(image) = images.get(path) {
            return Some(Arc::clone(image));
        }
        let state = State { content: load()?, ..State::default() };
        let image = Arc::new(Image(Mutex::new(state)));
        images.insert(path.to_owned(), Arc::clone(&image));
        Some(image)
    }

    pub(super) fn forget(&self, path: &Path) {
        self.images.lock().remove(path);
    }

    pub(super) fn power_cut(&self) {
        for (_, image) in self.images.lock().drain() {
            *image.0.lock() = State { dead: true, ..State::default() };
        }
    }
}

/// Counts one operation down; fails when there is none left.
fn spend(trouble: &mut Option<(u32, Fault)>) -> Result<(), Fault> {
    match trouble {
        None => Ok(()),
        Some((0, fault)) => Err(*fault),
        Some((left, _)) => {
            *left -= 1;
            Ok(())
        }
    }
}

/// A file as the process sees it, while only what was synced is in the real one.
pub(super) struct Image(Mutex<State>);

#[derive(Default)]
struct State {
    content: Vec<u8>,
    /// Blocks that are not yet written.
    dirty: BTreeSet<usize>,
    /// The power was cut while it was open.
    dead: bool,
}

impl Image {
    /// Fills `buffer` from `offset`; how many bytes there were. The rest is zeroed.
    pub(super) fn read(&self, buffer: &mut [u8], offset: usize) -> Result<usize, Fault> {
        let state = self.0.lock();
        if state.dead {
            return Err(Fault::Io);
        }
        let there = state.content.get(offset..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        buffer[count..].fill(0);
        Ok(count)
    }

    pub(super) fn write(&self, bytes: &[u8], offset: usize) -> Result<(), Fault> {
        let mut state = self.0.lock();
        if state.dead {
            return Err(Fault::Io);
        }
        let end = offset + bytes.len();
        if state.content.len() < end {
            // What lies between the old end and the write is new, too.
            let old = state.content.len();
            state.content.resize(end, 0);
            state.dirty.extend(old / BLOCK..=(end - 1) / BLOCK);
        }
        state.content[offset..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            state.dirty.extend(offset / BLOCK..=(end - 1) / BLOCK);
        }
        Ok(())
    }

    pub(super) fn truncate(&self, length: usize) -> Result<(), Fault> {
        let mut state = self.0.lock();
        if state.dead {
            return Err(Fault::Io);
        }
        state.content.truncate(length);
        state.dirty.retain(|block| block * BLOCK < length);
        Ok(())
    }

    pub(super) fn length(&self) -> Result<usize, Fault> {
        let state = self.0.lock();
        if state.dead { Err(Fault::Io) } else { Ok(state.content.len()) }
    }

    /// Gives all unwritten blocks with their offsets to `write`, then the length to `truncate`. What was given is written
    /// only if all succeeds.
    pub(super) fn flush<E: From<Fault>>(
        &self,
        mut write: impl FnMut(&[u8], usize) -> Result<(), E>,
        truncate: impl FnOnce(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut state = self.0.lock();
        if state.dead {
            return Err(Fault::Io.into());
        }
        for &block in &state.dirty {
            let start = block * BLOCK;
            let end = state.content.len().min(start + BLOCK);
            write(&state.content[start..end], start)?;
        }
        truncate(state.content.len())?;
        state.dirty.clear();
        Ok(())
    }
}
