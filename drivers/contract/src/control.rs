//! What may be done to a host itself, where it is ours: to its daemon, its link, its folders, and to the calls
//! that its daemon makes of its hook script.

use std::{
    fmt,
    future::Future,
    io,
    net::{Ipv4Addr, TcpListener},
    pin::Pin,
};

/// Where a host that is set up for it has the sockets of monitors that libvirt knows nothing of.
pub const MONITORS: &str = "/opt/migratrix/monitors";

/// Something that takes its time.
pub type HostTask<'h> = Pin<Box<dyn Future<Output = io::Result<()>> + 'h>>;

/// A process, so that it is told from another one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Its number, as seen from here.
    pub pid: i32,
    /// When it was started, in ticks of the kernel.
    pub started: u64,
}

/// What is done to a process by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signalled {
    /// It ends at once (`SIGKILL`).
    Killed,
    /// It stands still (`SIGSTOP`).
    Stopped,
    /// It goes on (`SIGCONT`).
    Continued,
}

/// How a host's port of the lab's bridge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It carries what is sent.
    Up,
    /// It carries nothing.
    Down,
}

/// A folder of a host that can be full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Where the daemon keeps the state of what runs.
    State,
    /// Where it keeps what a domain needs while it runs.
    Library,
    /// Where QEMU's logs are.
    Log,
}

/// A moment at which the daemon calls its hook script, by the words that it calls it with: see "Hooks for
/// specific system management" in libvirt's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookPoint {
    /// A migration asks the destination to prepare for the domain.
    MigrateBegin,
    /// The domain's start begins.
    PrepareBegin,
    /// QEMU is about to be started.
    StartBegin,
    /// QEMU is there, and nothing else was told of it yet.
    StartedBegin,
    /// QEMU is gone, and nothing else was told of it yet.
    StoppedEnd,
    /// All that the domain had was let go.
    ReleaseEnd,
}

/// What the hook script does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It does not return until the gate is opened.
    Holds,
    /// It ends with an error.
    Refuses,
}

/// What may be done to a host that is ours, and that is set up for it.
pub trait HostControl: Send + Sync {
    /// The daemon's process; `None` where none runs.
    ///
    /// # Errors
    /// Returns the error where the host is down.
    fn daemon(&self) -> io::Result<Option<ProcessIdentity>>;

    /// Signals the daemon, and waits until it has obeyed. The host stays where it is killed, and so do its
    /// guests.
    fn signal_daemon(&self, how: Signalled) -> HostTask<'_>;

    /// Starts the daemon again, and waits until it accepts connections.
    fn start_daemon(&self) -> HostTask<'_>;

    /// The process of the QEMU of the domain of this name; `None` where none runs.
    ///
    /// # Errors
    /// Returns the error where the host is down.
    fn qemu(&self, domain: &str) -> io::Result<Option<ProcessIdentity>>;

    /// Signals the QEMU of the domain of this name.
    ///
    /// # Errors
    /// Returns `NotFound` where no such QEMU runs.
    fn signal_qemu(&self, domain: &str, how: Signalled) -> io::Result<()>;

    /// Sets the host's port of the lab's bridge.
    ///
    /// # Errors
    /// Returns the error where the kernel refuses it.
    fn set_link(&self, link: Link) -> io::Result<()>;

    /// Hides the folder behind a tiny file system that is full, and waits until it is.
    fn fill(&self, folder: Folder) -> HostTask<'_>;

    /// Takes what hides a folder away again.
    fn empty(&self, folder: Folder) -> HostTask<'_>;

    /// Lowers the bound on the address space of what the daemon starts from now on, in bytes; without one it
    /// is as it was.
    ///
    /// # Errors
    /// Returns the error where the kernel refuses it.
    fn limit_memory(&self, bytes: Option<u64>) -> io::Result<()>;

    /// Sets a gate for the hook's call of this domain at this point.
    ///
    /// # Errors
    /// Returns the error where it can't be written.
    fn set_gate(&self, domain: &str, at: HookPoint, gate: Gate) -> io::Result<()>;

    /// Opens all gates of this domain: a call that is held goes on, and no other is.
    ///
    /// # Errors
    /// Returns the error where they can't be removed.
    fn open_gates(&self, domain: &str) -> io::Result<()>;

    /// The calls of the hook script for this domain, in their order, each noted before it may be held.
    ///
    /// # Errors
    /// Returns the error where the host is down.
    fn hook_calls(&self, domain: &str) -> io::Result<Vec<String>>;

    /// Listens to a port of the host on all its addresses, and answers nobody, until this is dropped; port 0
    /// is one that is free.
    ///
    /// # Errors
    /// Returns the error where it can't.
    fn listen(&self, port: u16) -> io::Result<TcpListener>;

    /// The address by which the host reaches us.
    fn our_address(&self) -> Ipv4Addr;

    /// Lets go of the domain of this name: its QEMU goes on, its gates are open, and the calls of the hook
    /// script for it are forgotten.
    ///
    /// # Errors
    /// Returns the error where the host is down.
    fn forget(&self, domain: &str) -> io::Result<()>;

    /// The same, and has the host as it was: its daemon runs, its link is up, its folders are there and its
    /// bound is lifted. To be done where no other case is on it.
    fn restore<'h>(&'h self, domain: &'h str) -> HostTask<'h>;
}

impl Folder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::State, Self::Library, Self::Log];

    /// Where the host has it.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::State => "/run/libvirt/qemu",
            Self::Library => "/var/lib/libvirt/qemu",
            Self::Log => "/var/log/libvirt/qemu",
        }
    }
}

impl HookPoint {
    /// The operation and the sub-operation, as the script gets them.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Self::MigrateBegin => ["migrate", "begin"],
            Self::PrepareBegin => ["prepare", "begin"],
            Self::StartBegin => ["start", "begin"],
            Self::StartedBegin => ["started", "begin"],
            Self::StoppedEnd => ["stopped", "end"],
            Self::ReleaseEnd => ["release", "end"],
        }
    }
}

impl fmt::Display for HookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [operation, part] = self.words();
        write!(f, "{operation} {part}")
    }
}
