//! Calls that came after the oldest client library that this program runs with: a symbol that it lacks would
//! keep the whole program from being loaded, so each is looked up when it is wanted.

use std::ffi::{CStr, c_int, c_uint};

use virt::{domain::Domain, sys};

use super::checked;
use crate::failure::Failure;

/// `virDomainAbortJobFlags`.
type AbortJobFlags = unsafe extern "C" fn(sys::virDomainPtr, c_uint) -> c_int;

/// Pauses a postcopy on purpose (`virDomainAbortJobFlags` with `VIR_DOMAIN_ABORT_JOB_POSTCOPY`, since libvirt
/// 8.5).
pub fn abort_postcopy(domain: &Domain) -> Result<(), Failure> {
    let symbol = c"virDomainAbortJobFlags";
    let found = find(symbol)?;
    // SAFETY: that is the signature of the function of this name, in each release that has it.
    let abort = unsafe { std::mem::transmute::<*mut libc::c_void, AbortJobFlags>(found) };
    // SAFETY: the domain is alive while it is borrowed.
    let done = unsafe { abort(domain.as_ptr(), sys::VIR_DOMAIN_ABORT_JOB_POSTCOPY) };
    checked(done)?;
    Ok(())
}

/// A function of the library that is loaded.
fn find(symbol: &CStr) -> Result<*mut libc::c_void, Failure> {
    // SAFETY: the name ends, and a handle that stands for all that is loaded needs no opening.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
    if found.is_null() {
        let name = symbol.to_string_lossy();
        return Err(Failure::Lacks(name.into_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_the_library_lacks_is_named() {
        // So that the library is loaded at all.
        assert!(virt::connect::Connect::version().is_ok());
        assert!(find(c"virDomainAbortJob").is_ok());
        let Err(Failure::Lacks(name)) = find(c"virDomainOdd") else {
            panic!("no library has it");
        };
        assert_eq!(name, "virDomainOdd");
    }
}
