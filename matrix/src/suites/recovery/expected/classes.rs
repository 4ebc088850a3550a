//! Classes of errors: libvirt's number of the error (`virErrorNumber`), and of the part that raised it
//! (`virErrorDomain`).

use std::fmt;

use serde::Serialize;

/// A class of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ErrorClass {
    /// `virErrorNumber`.
    pub code: i32,
    /// `virErrorDomain`.
    pub domain: i32,
}

const RPC: i32 = 7;
const QEMU: i32 = 10;
const STORAGE: i32 = 18;
const DOMAIN: i32 = 20;
const CPU: i32 = 31;
const HOOK: i32 = 34;
const STREAMS: i32 = 38;

/// `VIR_ERR_INTERNAL_ERROR`, of QEMU's driver: a QEMU that can't be talked to.
pub(super) const INTERNAL: ErrorClass = class(1, QEMU);
/// `VIR_ERR_INTERNAL_ERROR`, of a helper process that fails.
pub(super) const HELPER: ErrorClass = class(1, 0);
/// `VIR_ERR_INTERNAL_ERROR`, of the connection: it was closed by a keepalive, or by the peer's end.
pub(super) const CLOSED: ErrorClass = class(1, RPC);
/// `VIR_ERR_SYSTEM_ERROR`, of the connection: it was reset, or can't be made.
pub(super) const RESET: ErrorClass = class(38, RPC);
/// `VIR_ERR_RPC`, of a stream: its other end failed, or was closed.
pub(super) const STREAM: ErrorClass = class(39, STREAMS);
/// `VIR_ERR_SYSTEM_ERROR`, of QEMU's driver: what it reads from is gone.
pub(super) const BROKEN: ErrorClass = class(38, QEMU);
/// `VIR_ERR_SYSTEM_ERROR`, of a file that can't be read.
pub(super) const NO_FILE: ErrorClass = class(38, STORAGE);
/// `VIR_ERR_OPERATION_FAILED`, of QEMU's driver: the migration failed.
pub(super) const FAILED: ErrorClass = class(9, QEMU);
/// `VIR_ERR_OPERATION_FAILED`, of the domain: it is not running, or its name or UUID is taken.
pub(super) const DOMAIN_FAILED: ErrorClass = class(9, DOMAIN);
/// `VIR_ERR_OPERATION_INVALID`, of QEMU's driver: the domain is not running.
pub(super) const NOT_RUNNING: ErrorClass = class(55, QEMU);
/// `VIR_ERR_OPERATION_INVALID`, of the domain: it is active already, or not running.
pub(super) const ALREADY_ACTIVE: ErrorClass = class(55, DOMAIN);
/// `VIR_ERR_OPERATION_TIMEOUT`, of QEMU's driver: a job of the domain has not ended within half a minute.
pub(super) const HELD: ErrorClass = class(68, QEMU);
/// The same, where the wait is one that all of libvirt's drivers share (virdomainjob.c).
pub(super) const HELD_BY_JOB: ErrorClass = class(68, 0);
/// `VIR_ERR_NO_DOMAIN`, of QEMU's driver.
pub(super) const NO_DOMAIN: ErrorClass = class(42, QEMU);
/// `VIR_ERR_NO_DOMAIN`, of the wait for a job: the domain was removed meanwhile.
pub(super) const REMOVED: ErrorClass = class(42, 0);
/// `VIR_ERR_SYSTEM_ERROR`, of a process that is looked for and is gone.
pub(super) const NO_PROCESS: ErrorClass = class(38, 0);
/// `VIR_ERR_OPERATION_ABORTED`: the job was cancelled.
pub(in crate::suites::recovery) const ABORTED: ErrorClass = class(78, QEMU);
/// `VIR_ERR_HOOK_SCRIPT_FAILED`.
pub(super) const HOOK_FAILED: ErrorClass = class(70, HOOK);
/// `VIR_ERR_CONFIG_UNSUPPORTED`, of QEMU's driver: no such machine.
pub(super) const NO_MACHINE: ErrorClass = class(67, QEMU);
/// `VIR_ERR_CONFIG_UNSUPPORTED`, of the processor: no such feature.
pub(super) const NO_FEATURE: ErrorClass = class(67, CPU);
/// `VIR_ERR_INTERNAL_ERROR`, of the processor: its model is in no map.
pub(super) const NO_MODEL: ErrorClass = class(1, CPU);
/// `VIR_ERR_ARGUMENT_UNSUPPORTED`: no such scheme.
pub(super) const NO_SCHEME: ErrorClass = class(74, QEMU);

const fn class(code: i32, domain: i32) -> ErrorClass {
    ErrorClass { code, domain }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.code, self.domain)
    }
}
