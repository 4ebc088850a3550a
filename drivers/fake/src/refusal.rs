//! The refusals that the fake gives, with libvirt's numbers for them (`virterror.h`).

use migratrix_history::Refusal;

/// `VIR_FROM_QEMU`.
const FROM_QEMU: i32 = 10;
/// `VIR_FROM_DOMAIN`.
const FROM_DOMAIN: i32 = 20;
/// `VIR_ERR_OPERATION_FAILED`.
const OPERATION_FAILED: i32 = 9;
/// `VIR_ERR_NO_DOMAIN`.
const NO_DOMAIN: i32 = 42;
/// `VIR_ERR_OPERATION_INVALID`.
const OPERATION_INVALID: i32 = 55;
/// `VIR_ERR_OPERATION_ABORTED`.
const OPERATION_ABORTED: i32 = 78;

/// There is no domain of that name.
pub(crate) fn no_domain() -> Refusal {
    refusal(NO_DOMAIN, FROM_QEMU, "no domain with matching name")
}

/// The domain is not in the state that the call needs.
pub(crate) fn invalid(message: &str) -> Refusal {
    refusal(OPERATION_INVALID, FROM_QEMU, message)
}

/// The domain has ended while a job of it was waited for.
pub(crate) fn ended() -> Refusal {
    refusal(OPERATION_INVALID, FROM_DOMAIN, "domain is not running")
}

/// The name is taken by a domain of another UUID.
pub(crate) fn taken(uuid: &str) -> Refusal {
    let message = format!("the name is already defined with uuid {uuid}");
    refusal(OPERATION_FAILED, FROM_DOMAIN, &message)
}

/// The job was cancelled.
pub(crate) fn cancelled() -> Refusal {
    refusal(
        OPERATION_ABORTED,
        FROM_QEMU,
        "migration out: canceled by client",
    )
}

/// No reason is given.
pub(crate) fn unreasoned() -> Refusal {
    refusal(OPERATION_FAILED, FROM_QEMU, "operation failed")
}

fn refusal(code: i32, domain: i32, message: &str) -> Refusal {
    Refusal {
        code,
        domain,
        message: message.to_owned(),
    }
}
