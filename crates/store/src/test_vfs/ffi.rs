//! The unsafe part: SQLite's file system interface in front of the system's own.
//!
//! Our `sqlite3_vfs` and `sqlite3_file` begin with SQLite's structs and continue with what we need; behind our file lies
//! the system's. Locks and shared memory are the system's.
#![allow(unsafe_code, reason = "SQLite's file system interface is C")]
#![allow(non_snake_case, reason = "the fields have SQLite's names")]

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ffi;

use super::disk::{Disk, Image};
use super::{Fault, Mode};

#[repr(C)]
struct Vfs {
    base: ffi::sqlite3_vfs,
    real: *mut ffi::sqlite3_vfs,
    disk: Arc<Disk>,
}

#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// Boxed, as SQLite gives the memory of a file and takes it back without a destructor.
    own: *mut Own,
    real: *mut ffi::sqlite3_file,
}

/// What we know about an open file.
struct Own {
    disk: Arc<Disk>,
    /// `None`: the file is direct, or temporary.
    image: Option<Arc<Image>>,
    /// Temporary files never fail.
    lasting: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Version 2: with shared memory, without memory mapping.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Registers the disk with SQLite, for the life of the process.
pub(super) fn register(name: &str, disk: Arc<Disk>) {
    let name = CString::new(name).expect("a name without a zero byte").into_raw();
    // SAFETY: a null name asks for the default file system, which SQLite has always registered; it is never freed. The
    // copy keeps the functions that do not touch `pAppData`; the others are replaced. `vfs` and `name` are leaked.
    unsafe {
        let real = ffi::sqlite3_vfs_find(std::ptr::null());
        let mut base = *real;
        base.iVersion = 2;
        base.szOsFile = size_of::<File>() as c_int + (*real).szOsFile;
        base.pNext = std::ptr::null_mut();
        base.zName = name;
        base.pAppData = std::ptr::null_mut();
        base.xOpen = Some(open);
        base.xDelete = Some(delete);
        let vfs = Box::leak(Box::new(Vfs { base, real, disk }));
        let registered = ffi::sqlite3_vfs_register(&raw mut vfs.base, 0);
        assert_eq!(registered, ffi::SQLITE_OK, "the test disk is registered");
    }
}

/// Calls the same method of the real file.
macro_rules! real {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let real = (*$file.cast::<File>()).real;
        match (*(*real).pMethods).$method {
            Some(method) => method(real $(, $argument)*),
            None => ffi::SQLITE_IOERR,
        }
    }};
}

fn code(fault: Fault, io: c_int) -> c_int {
    match fault {
        Fault::Full => ffi::SQLITE_FULL,
        Fault::Io => io,
    }
}

/// An error on the way to the real file: ours or its own.
struct Code(c_int);

impl From<Fault> for Code {
    fn from(fault: Fault) -> Code {
        Code(code(fault, ffi::SQLITE_IOERR_FSYNC))
    }
}

fn checked(code: c_int) -> Result<(), Code> {
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(Code(code)) }
}

// SAFETY of all functions below: SQLite calls them with pointers that it had from us (`register`, `open`), alive and used
// by one thread at a time, and with buffers of the length that it says. A file's `own` lives from `open` to `close`.

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    unsafe {
        let vfs = vfs.cast::<Vfs>();
        let ours = file.cast::<File>();
        // A file without methods is not closed.
        (*ours).base.pMethods = std::ptr::null();
        (*ours).real = ours.add(1).cast();
        let Some(open) = (*(*vfs).real).xOpen else { return ffi::SQLITE_CANTOPEN };
        let opened = open((*vfs).real, name, (*ours).real, flags, out_flags);
        if opened != ffi::SQLITE_OK {
            return opened;
        }
        let disk = Arc::clone(&(*vfs).disk);
        let lasting = !name.is_null()
            && flags & (ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL) != 0;
        let image = if lasting && disk.mode == Mode::WriteBack {
            let image = disk.image(&path(name), || load((*ours).real));
            if image.is_none() {
                real!(file, xClose);
                return ffi::SQLITE_IOERR;
            }
            image
        } else {
            None
        };
        (*ours).own = Box::into_raw(Box::new(Own { disk, image, lasting }));
        (*ours).base.pMethods = &raw const METHODS;
        ffi::SQLITE_OK
    }
}

unsafe fn path(name: *const c_char) -> PathBuf {
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Path::new(OsStr::from_bytes(bytes)).to_owned()
}

/// The whole content of a file.
unsafe fn load(real: *mut ffi::sqlite3_file) -> Option<Vec<u8>> {
    unsafe {
        let methods = &*(*real).pMethods;
        let mut length = 0;
        checked(methods.xFileSize?(real, &raw mut length)).ok()?;
        let mut content = vec![0_u8; length as usize];
        // SQLite's own reads are at most this long, too.
        for (index, part) in content.chunks_mut(1 << 20).enumerate() {
            let offset = (index << 20) as i64;
            checked(methods.xRead?(real, part.as_mut_ptr().cast(), part.len() as c_int, offset)).ok()?;
        }
        Some(content)
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    unsafe {
        let vfs = vfs.cast::<Vfs>();
        (*vfs).disk.forget(&path(name));
        match (*(*vfs).real).xDelete {
            Some(delete) => delete((*vfs).real, name, sync),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    unsafe {
        let ours = file.cast::<File>();
        drop(Box::from_raw((*ours).own));
        real!(file, xClose)
    }
}

unsafe fn own<'a>(file: *mut ffi::sqlite3_file) -> &'a Own {
    unsafe { &*(*file.cast::<File>()).own }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    count: c_int,
    offset: i64,
) -> c_int {
    unsafe {
        let Some(image) = &own(file).image else { return real!(file, xRead, into, count, offset) };
        let buffer = std::slice::from_raw_parts_mut(into.cast::<u8>(), count as usize);
        match image.read(buffer, offset as usize) {
            Ok(read) if read == buffer.len() => ffi::SQLITE_OK,
            Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
            Err(fault) => code(fault, ffi::SQLITE_IOERR_READ),
        }
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    offset: i64,
) -> c_int {
    unsafe {
        let own = own(file);
        if own.lasting
            && let Err(fault) = own.disk.before_write()
        {
            return code(fault, ffi::SQLITE_IOERR_WRITE);
        }
        let Some(image) = &own.image else { return real!(file, xWrite, from, count, offset) };
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), count as usize);
        match image.write(bytes, offset as usize) {
            Ok(()) => ffi::SQLITE_OK,
            Err(fault) => code(fault, ffi::SQLITE_IOERR_WRITE),
        }
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    unsafe {
        let Some(image) = &own(file).image else { return real!(file, xTruncate, length) };
        match image.truncate(length as usize) {
            Ok(()) => ffi::SQLITE_OK,
            Err(fault) => code(fault, ffi::SQLITE_IOERR_TRUNCATE),
        }
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    unsafe {
        let own = own(file);
        if own.lasting
            && let Err(fault) = own.disk.before_sync()
        {
            return code(fault, ffi::SQLITE_IOERR_FSYNC);
        }
        if let Some(image) = &own.image {
            let flushed = image.flush(
                |bytes, offset| {
                    let written =
                        real!(file, xWrite, bytes.as_ptr().cast(), bytes.len() as c_int, offset as i64);
                    checked(written)
                },
                |length| checked(real!(file, xTruncate, length as i64)),
            );
            if let Err(Code(code)) = flushed {
                return code;
            }
        }
        real!(file, xSync, flags)
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    unsafe {
        let Some(image) = &own(file).image else { return real!(file, xFileSize, size) };
        match image.length() {
            Ok(length) => {
                *size = length as i64;
                ffi::SQLITE_OK
            }
            Err(fault) => code(fault, ffi::SQLITE_IOERR_FSTAT),
        }
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    unsafe { real!(file, xLock, level) }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    unsafe { real!(file, xUnlock, level) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    unsafe { real!(file, xCheckReservedLock, out) }
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    unsafe { real!(file, xFileControl, op, argument) }
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    unsafe { real!(file, xSectorSize) }
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    unsafe { real!(file, xDeviceCharacteristics) }
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    unsafe { real!(file, xShmMap, page, size, extend, out) }
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    unsafe { real!(file, xShmLock, offset, count, flags) }
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    unsafe {
        let real = (*file.cast::<File>()).real;
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    unsafe { real!(file, xShmUnmap, delete) }
}
