//! libvirt's event loop, for a process that makes many short calls.
//!
//! libvirt's client takes a socket out of the loop before each call, and puts it back after it. The
//! default implementation wakes the loop's thread both times, which costs more than all the rest of
//! the call. Here just the kernel's list of sockets is changed, and the thread sleeps on.
//!
//! What libvirt asks of an implementation: <https://libvirt.org/html/libvirt-libvirt-event.html>.

use std::{
    collections::HashMap,
    ffi::{c_int, c_void},
    io,
    mem::take,
    os::fd::{BorrowedFd, OwnedFd},
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use rustix::{
    event::{
        EventfdFlags, Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
        eventfd,
    },
    io::{Errno, read, write},
};
use virt::sys;

/// The one loop of this process.
static LOOP: OnceLock<Loop> = OnceLock::new();

/// By what the kernel calls the descriptor that wakes the loop; no handle has this number.
const WAKE: u64 = 0;

/// Which of libvirt's words for what a descriptor is ready for is which of the kernel's.
const READY: [(sys::virEventHandleType, EventFlags); 4] = [
    (sys::VIR_EVENT_HANDLE_READABLE, EventFlags::IN),
    (sys::VIR_EVENT_HANDLE_WRITABLE, EventFlags::OUT),
    (sys::VIR_EVENT_HANDLE_ERROR, EventFlags::ERR),
    (sys::VIR_EVENT_HANDLE_HANGUP, EventFlags::HUP),
];

struct Loop {
    epoll: OwnedFd,
    wake: OwnedFd,
    thread: OnceLock<ThreadId>,
    turns: Mutex<u64>,
    turned: Condvar,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last: c_int,
    handles: HashMap<c_int, Handle>,
    timers: HashMap<c_int, Timer>,
    removed: Vec<Owner>,
}

struct Handle {
    fd: c_int,
    is_listed: bool,
    callback: sys::virEventHandleCallback,
    owner: Owner,
}

struct Timer {
    every: Duration,
    due: Option<Instant>,
    callback: sys::virEventTimeoutCallback,
    owner: Owner,
}

/// What libvirt gets back with each call, and how it is freed.
#[derive(Clone, Copy)]
struct Owner {
    opaque: *mut c_void,
    free: sys::virFreeCallback,
}

// SAFETY: libvirt hands it over to be used by the thread of the loop.
unsafe impl Send for Owner {}

/// Makes the loop libvirt's, and runs it in a thread of its own.
pub fn start() -> io::Result<()> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    epoll::add(&epoll, &wake, EventData::new_u64(WAKE), EventFlags::IN)?;
    let of_ours = LOOP.get_or_init(|| Loop {
        epoll,
        wake,
        thread: OnceLock::new(),
        turns: Mutex::default(),
        turned: Condvar::new(),
        table: Mutex::default(),
    });
    // SAFETY: the functions keep what libvirt demands of an implementation: they may be called by any
    // thread, and none of them calls back.
    unsafe {
        sys::virEventRegisterImpl(
            Some(add_handle),
            Some(update_handle),
            Some(remove_handle),
            Some(add_timer),
            Some(update_timer),
            Some(remove_timer),
        );
    }
    thread::Builder::new().spawn(|| of_ours.run()).map(drop)
}

/// Waits until what is due now was told.
pub fn turn() {
    let of_ours = of_ours();
    let mut turns = of_ours.turns();
    // One that is under way may be past it.
    let last = *turns + 2;
    while *turns < last {
        of_ours.wake();
        turns = of_ours
            .turned
            .wait(turns)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

impl Loop {
    fn run(&self) {
        self.thread.get_or_init(|| thread::current().id());
        let mut ready = Vec::with_capacity(16);
        loop {
            let pause = self.table().pause().map(|pause| Timespec {
                tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: pause.subsec_nanos().into(),
            });
            ready.clear();
            let room = rustix::buffer::spare_capacity(&mut ready);
            match epoll::wait(&self.epoll, room, pause.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            for event in &ready {
                self.handle(event);
            }
            self.fire();
            // What is freed may call back, and finds the table free.
            let removed = take(&mut self.table().removed);
            for Owner { opaque, free } in removed {
                if let Some(free) = free {
                    // SAFETY: it was removed, and is freed once; its callback does not run, since
                    // that would be here.
                    unsafe { free(opaque) };
                }
            }
            *self.turns() += 1;
            self.turned.notify_all();
        }
    }

    /// Tells libvirt what a descriptor is ready for.
    fn handle(&self, event: &Event) {
        if event.data.u64() == WAKE {
            // That it was woken is all that counts.
            let _count = read(&self.wake, &mut [0_u8; 8]);
            return;
        }
        let Ok(watch) = c_int::try_from(event.data.u64()) else {
            return;
        };
        let table = self.table();
        let found = table.handles.get(&watch);
        let found = found.map(|handle| (handle.fd, handle.callback, handle.owner.opaque));
        drop(table);
        if let Some((fd, Some(callback), opaque)) = found {
            let flags = event.flags;
            // SAFETY: libvirt has handed both over for this, and neither was freed: that is done by
            // this thread.
            unsafe { callback(watch, fd, to_libvirt(flags), opaque) };
        }
    }

    /// Tells libvirt of the timers that are due.
    fn fire(&self) {
        let now = Instant::now();
        let due = self.table().due(now);
        for timer in due {
            let mut table = self.table();
            let found = table.timers.get_mut(&timer);
            let found = found.filter(|timer| timer.due.is_some_and(|due| due <= now));
            let found = found.map(|timer| {
                timer.due = Some(now + timer.every);
                (timer.callback, timer.owner.opaque)
            });
            drop(table);
            if let Some((Some(callback), opaque)) = found {
                // SAFETY: as for a handle.
                unsafe { callback(timer, opaque) };
            }
        }
    }

    /// Changes what the kernel watches `handle` for.
    fn list(&self, watch: c_int, handle: &mut Handle, events: c_int) -> Result<(), Errno> {
        // SAFETY: libvirt keeps the descriptor open for as long as it is a handle.
        let fd = unsafe { BorrowedFd::borrow_raw(handle.fd) };
        let data = EventData::new_u64(u64::from(watch.unsigned_abs()));
        let flags = of_libvirt(events);
        let done = match (handle.is_listed, flags.is_empty()) {
            (true, true) => epoll::delete(&self.epoll, fd),
            (true, false) => epoll::modify(&self.epoll, fd, data, flags),
            (false, true) => Ok(()),
            (false, false) => epoll::add(&self.epoll, fd, data, flags),
        };
        handle.is_listed = done.is_ok() && !flags.is_empty();
        done
    }

    /// Has the loop look again at what is due and what was removed, which it does anyway after each
    /// of its own calls.
    fn wake(&self) {
        if self.thread.get() == Some(&thread::current().id()) {
            return;
        }
        // Where the counter is full the loop is awake as it is.
        let _written = write(&self.wake, &1_u64.to_ne_bytes());
    }

    fn turns(&self) -> MutexGuard<'_, u64> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn next(&mut self) -> c_int {
        self.last += 1;
        self.last
    }

    /// How long nothing is due; `None` where nothing will be.
    fn pause(&self) -> Option<Duration> {
        let due = self.timers.values().filter_map(|timer| timer.due).min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn due(&self, now: Instant) -> Vec<c_int> {
        let due = |timer: &Timer| timer.due.is_some_and(|due| due <= now);
        let timers = self.timers.iter().filter(|(_, timer)| due(timer));
        timers.map(|(timer, _)| *timer).collect()
    }
}

impl Timer {
    /// `every` is in milliseconds; below 0 it is never due.
    fn set(&mut self, every: c_int) {
        let every = u64::try_from(every).ok().map(Duration::from_millis);
        self.every = every.unwrap_or_default();
        self.due = every.map(|every| Instant::now() + every);
    }
}

fn of_libvirt(events: c_int) -> EventFlags {
    let asked = READY
        .iter()
        .filter(|(theirs, _)| events.unsigned_abs() & theirs != 0);
    asked.map(|(_, flag)| *flag).collect()
}

fn to_libvirt(flags: EventFlags) -> c_int {
    let ready = READY.iter().filter(|(_, flag)| flags.contains(*flag));
    let events = ready.fold(0, |all, (theirs, _)| all | theirs);
    c_int::try_from(events).unwrap_or(0)
}

/// The loop; it is there before libvirt knows these functions.
fn of_ours() -> &'static Loop {
    LOOP.get().expect("it was made before")
}

unsafe extern "C" fn add_handle(
    fd: c_int,
    events: c_int,
    callback: sys::virEventHandleCallback,
    opaque: *mut c_void,
    free: sys::virFreeCallback,
) -> c_int {
    let mut handle = Handle {
        fd,
        is_listed: false,
        callback,
        owner: Owner { opaque, free },
    };
    let mut table = of_ours().table();
    let watch = table.next();
    if of_ours().list(watch, &mut handle, events).is_err() {
        return -1;
    }
    table.handles.insert(watch, handle);
    watch
}

unsafe extern "C" fn update_handle(watch: c_int, events: c_int) {
    let mut table = of_ours().table();
    if let Some(handle) = table.handles.get_mut(&watch) {
        // A descriptor that can't be watched any more is about to be removed.
        let _refused = of_ours().list(watch, handle, events);
    }
}

unsafe extern "C" fn remove_handle(watch: c_int) -> c_int {
    let mut table = of_ours().table();
    let Some(mut handle) = table.handles.remove(&watch) else {
        return -1;
    };
    // Its descriptor may be closed by now: then it is watched no more.
    let _closed = of_ours().list(watch, &mut handle, 0);
    table.removed.push(handle.owner);
    drop(table);
    of_ours().wake();
    0
}

unsafe extern "C" fn add_timer(
    every: c_int,
    callback: sys::virEventTimeoutCallback,
    opaque: *mut c_void,
    free: sys::virFreeCallback,
) -> c_int {
    let mut timer = Timer {
        every: Duration::ZERO,
        due: None,
        callback,
        owner: Owner { opaque, free },
    };
    timer.set(every);
    let mut table = of_ours().table();
    let id = table.next();
    table.timers.insert(id, timer);
    drop(table);
    of_ours().wake();
    id
}

unsafe extern "C" fn update_timer(id: c_int, every: c_int) {
    let mut table = of_ours().table();
    if let Some(timer) = table.timers.get_mut(&id) {
        timer.set(every);
    }
    drop(table);
    of_ours().wake();
}

unsafe extern "C" fn remove_timer(id: c_int) -> c_int {
    let mut table = of_ours().table();
    let Some(timer) = table.timers.remove(&id) else {
        return -1;
    };
    table.removed.push(timer.owner);
    drop(table);
    of_ours().wake();
    0
}
