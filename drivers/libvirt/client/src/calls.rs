//! All the unsafe code: calls that crate `virt` has no safe form of.

mod checkpoints;
mod late;

use std::{
    ffi::{CStr, c_int, c_long, c_void},
    io, ptr,
};

use migratrix_history::JobStats;
use virt::{connect::Connect, domain::Domain, error::Error, sys};

pub use checkpoints::{begin_backup, checkpoints, redefine};
pub use late::abort_postcopy;

use crate::words;

/// What a host tells of a domain, by the domain's name.
pub enum Told {
    /// `VIR_DOMAIN_EVENT_ID_LIFECYCLE`: the event and its detail.
    Lifecycle(c_int, c_int),
    /// `VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION`: the pass.
    Iteration(c_int),
    /// `VIR_DOMAIN_EVENT_ID_JOB_COMPLETED`: the job's statistics.
    JobEnded(Box<JobStats>),
}

/// Which job is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The last one that ended.
    Yes,
    /// The one that is under way.
    No,
}

/// Who hears it.
type Listener = Box<dyn Fn(&str, Told) + Send + Sync>;

/// Has the kernel kill this process when the thread that started it ends.
pub fn die_with_parent() {
    // SAFETY: PR_SET_PDEATHSIG takes a signal number and touches no memory of ours.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Which of two processes that were one this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The one that was there before, and the number of the other.
    Original(i32),
    /// The other one.
    Copy,
}

/// Makes a copy of this process, whose parent is this one's. No other thread may run.
///
/// `fork` would make it a child of this one, which its user could not wait for. What that does beside the
/// call is for threads, and for libraries that were used before; the main thread of a copy keeps the number
/// that the original's has, which is no other thread's as long as that is there.
pub fn copy() -> io::Result<Copied> {
    const ANEW: c_long = 0;
    // SAFETY: without a stack of its own the copy goes on with a copy of this one; there is one thread, so that
    // no lock is held by another.
    let number = unsafe {
        libc::syscall(
            libc::SYS_clone,
            c_long::from(libc::CLONE_PARENT | libc::SIGCHLD),
            ANEW,
            ANEW,
            ANEW,
            ANEW,
        )
    };
    match i32::try_from(number) {
        Ok(0) => Ok(Copied::Copy),
        Ok(number @ 1..) => Ok(Copied::Original(number)),
        Ok(_) | Err(_) => Err(io::Error::last_os_error()),
    }
}

/// Reads `size` bytes of guest-physical memory from `address` (`virDomainMemoryPeek`).
pub fn peek(domain: &Domain, address: u64, size: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0_u8; size];
    // SAFETY: the domain is alive while it is borrowed, and `bytes` has room for `size` bytes.
    let done = unsafe {
        sys::virDomainMemoryPeek(
            domain.as_ptr(),
            address,
            size,
            bytes.as_mut_ptr().cast(),
            sys::VIR_MEMORY_PHYSICAL,
        )
    };
    checked(done).map(|_| bytes)
}

/// Asks for the domain's job to be given up (`virDomainAbortJob`).
pub fn abort_job(domain: &Domain) -> Result<(), Error> {
    // SAFETY: the domain is alive while it is borrowed.
    checked(unsafe { sys::virDomainAbortJob(domain.as_ptr()) }).map(drop)
}

/// Has a migration that is under way switch over to postcopy (`virDomainMigrateStartPostCopy`).
pub fn start_postcopy(domain: &Domain) -> Result<(), Error> {
    // SAFETY: the domain is alive while it is borrowed; there are no flags.
    checked(unsafe { sys::virDomainMigrateStartPostCopy(domain.as_ptr(), 0) }).map(drop)
}

/// `virDomainGetState`, as numbers.
pub fn state(domain: &Domain) -> Result<(c_int, c_int), Error> {
    let (mut state, mut reason) = (-1, -1);
    // SAFETY: the domain is alive while it is borrowed, and both numbers outlive the call.
    let done = unsafe { sys::virDomainGetState(domain.as_ptr(), &mut state, &mut reason, 0) };
    checked(done).map(|_| (state, reason))
}

/// The statistics of a job (`virDomainGetJobStats`); the host forgets a finished one's.
pub fn job(domain: &Domain, finished: Finished) -> Result<JobStats, Error> {
    let flags = match finished {
        Finished::Yes => sys::VIR_DOMAIN_JOB_STATS_COMPLETED,
        Finished::No => 0,
    };
    let (mut kind, mut count, mut fields) = (0, 0, ptr::null_mut());
    // SAFETY: the domain is alive while it is borrowed; libvirt sets `fields` to an array of
    // `count` parameters that is ours to free.
    let done = unsafe {
        sys::virDomainGetJobStats(domain.as_ptr(), &mut kind, &mut fields, &mut count, flags)
    };
    checked(done)?;
    // SAFETY: libvirt has set both.
    let look = unsafe { statistics(words::job(kind), fields, count) };
    // SAFETY: `fields` came from libvirt with `count` parameters and is used no more.
    unsafe { sys::virTypedParamsFree(fields, count) };
    Ok(look)
}

/// What the parameters of a job say.
///
/// # Safety
/// `fields` has `count` parameters; it may be null where there are none.
unsafe fn statistics(kind: String, fields: sys::virTypedParameterPtr, count: c_int) -> JobStats {
    let field = |name: &CStr| {
        let mut value = 0;
        // SAFETY: the caller's promise; where `fields` is null libvirt refuses.
        let found =
            unsafe { sys::virTypedParamsGetULLong(fields, count, name.as_ptr(), &mut value) };
        (found == 1).then_some(value)
    };
    let number = |name: &CStr| {
        let mut value = 0;
        // SAFETY: as above.
        let found = unsafe { sys::virTypedParamsGetInt(fields, count, name.as_ptr(), &mut value) };
        (found == 1).then_some(value)
    };
    let switch = |name: &CStr| {
        let mut value = 0;
        // SAFETY: as above.
        let found =
            unsafe { sys::virTypedParamsGetBoolean(fields, count, name.as_ptr(), &mut value) };
        (found == 1).then_some(value != 0)
    };
    let text = |name: &CStr| {
        let mut value = ptr::null();
        // SAFETY: as above; what is found is a text that lives as long as `fields`.
        unsafe {
            let found = sys::virTypedParamsGetString(fields, count, name.as_ptr(), &mut value);
            (found == 1).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
        }
    };
    JobStats {
        kind,
        elapsed_ms: field(sys::VIR_DOMAIN_JOB_TIME_ELAPSED),
        downtime_ms: field(sys::VIR_DOMAIN_JOB_DOWNTIME),
        memory_total: field(sys::VIR_DOMAIN_JOB_MEMORY_TOTAL),
        memory_processed: field(sys::VIR_DOMAIN_JOB_MEMORY_PROCESSED),
        memory_remaining: field(sys::VIR_DOMAIN_JOB_MEMORY_REMAINING),
        memory_normal_bytes: field(sys::VIR_DOMAIN_JOB_MEMORY_NORMAL_BYTES),
        memory_constant: field(sys::VIR_DOMAIN_JOB_MEMORY_CONSTANT),
        memory_iteration: field(sys::VIR_DOMAIN_JOB_MEMORY_ITERATION),
        operation: number(sys::VIR_DOMAIN_JOB_OPERATION).map(words::operation),
        success: switch(sys::VIR_DOMAIN_JOB_SUCCESS),
        disk_total: field(sys::VIR_DOMAIN_JOB_DISK_TOTAL),
        disk_processed: field(sys::VIR_DOMAIN_JOB_DISK_PROCESSED),
        error: text(sys::VIR_DOMAIN_JOB_ERRMSG),
        ..JobStats::default()
    }
}

/// Has `listener` called for each event of a life cycle, a pass or a job of all domains of `connect`, for as
/// long as that is open.
pub fn listen<F>(connect: &Connect, listener: F) -> Result<(), Error>
where
    F: Fn(&str, Told) + Clone + Send + Sync + 'static,
{
    let lifecycle: sys::virConnectDomainEventCallback = Some(on_lifecycle);
    let iteration: sys::virConnectDomainEventMigrationIterationCallback = Some(on_iteration);
    let job: sys::virConnectDomainEventJobCompletedCallback = Some(on_job);
    // SAFETY: libvirt keeps callbacks of all kinds as the generic one, and calls each by the
    // signature of the event that it was registered for: these are the ones.
    let (lifecycle, iteration, job) = unsafe {
        (
            std::mem::transmute::<
                sys::virConnectDomainEventCallback,
                sys::virConnectDomainEventGenericCallback,
            >(lifecycle),
            std::mem::transmute::<
                sys::virConnectDomainEventMigrationIterationCallback,
                sys::virConnectDomainEventGenericCallback,
            >(iteration),
            std::mem::transmute::<
                sys::virConnectDomainEventJobCompletedCallback,
                sys::virConnectDomainEventGenericCallback,
            >(job),
        )
    };
    let id = sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE;
    register(connect, id, lifecycle, Box::new(listener.clone()))?;
    let id = sys::VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION;
    register(connect, id, iteration, Box::new(listener.clone()))?;
    let id = sys::VIR_DOMAIN_EVENT_ID_JOB_COMPLETED;
    register(connect, id, job, Box::new(listener))
}

fn register(
    connect: &Connect,
    event: sys::virDomainEventID,
    callback: sys::virConnectDomainEventGenericCallback,
    listener: Listener,
) -> Result<(), Error> {
    let event = c_int::try_from(event).expect("event ids are small");
    let opaque = Box::into_raw(Box::new(listener));
    // SAFETY: the connection is alive while it is borrowed; `opaque` is a boxed listener, which the
    // callbacks only borrow and `free_listener` frees, once.
    let id = unsafe {
        let any = ptr::null_mut();
        let free = Some(free_listener as unsafe extern "C" fn(*mut c_void));
        let connect = connect.as_ptr();
        sys::virConnectDomainEventRegisterAny(connect, any, event, callback, opaque.cast(), free)
    };
    if id < 0 {
        // SAFETY: what was not registered is still ours.
        drop(unsafe { Box::from_raw(opaque) });
    }
    checked(id).map(drop)
}

unsafe extern "C" fn on_lifecycle(
    _connect: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    event: c_int,
    detail: c_int,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: libvirt hands over a live domain and the listener that was registered.
    unsafe { hear(domain, Told::Lifecycle(event, detail), opaque) };
    0
}

unsafe extern "C" fn on_iteration(
    _connect: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    iteration: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt hands over a live domain and the listener that was registered.
    unsafe { hear(domain, Told::Iteration(iteration), opaque) };
}

unsafe extern "C" fn on_job(
    _connect: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    fields: sys::virTypedParameterPtr,
    count: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt hands over a live domain, the listener that was registered, and `count`
    // parameters, which stay its own.
    unsafe {
        let ended = Told::JobEnded(Box::new(statistics("completed".to_owned(), fields, count)));
        hear(domain, ended, opaque);
    }
}

/// # Safety
/// `domain` is alive, and `opaque` is the listener that [`register`] has boxed.
unsafe fn hear(domain: sys::virDomainPtr, told: Told, opaque: *mut c_void) {
    // SAFETY: the caller's promise; the name lives as long as the domain.
    let (name, listener) = unsafe {
        let name = sys::virDomainGetName(domain);
        if name.is_null() {
            return;
        }
        (CStr::from_ptr(name), &*opaque.cast::<Listener>())
    };
    listener(&name.to_string_lossy(), told);
}

unsafe extern "C" fn free_listener(opaque: *mut c_void) {
    // SAFETY: `register` has boxed it, and libvirt frees it once.
    drop(unsafe { Box::from_raw(opaque.cast::<Listener>()) });
}

fn checked(done: c_int) -> Result<c_int, Error> {
    if done < 0 {
        Err(Error::last_error())
    } else {
        Ok(done)
    }
}
