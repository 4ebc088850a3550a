//! Backups and checkpoints, of which crate `virt` has no form.

use std::{
    ffi::{CStr, CString, c_char},
    ptr,
};

use virt::{domain::Domain, error::Error, sys};

use super::checked;

/// Begins a backup, and makes a checkpoint of its moment if one is described
/// (`virDomainBackupBegin`).
pub fn begin_backup(
    domain: &Domain,
    backup: &CStr,
    checkpoint: Option<&CStr>,
) -> Result<(), Error> {
    let checkpoint = checkpoint.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: the domain is alive while it is borrowed, and so are both texts.
    let done =
        unsafe { sys::virDomainBackupBegin(domain.as_ptr(), backup.as_ptr(), checkpoint, 0) };
    checked(done).map(drop)
}

/// Has the host take a checkpoint up of which the domain's disks have the bitmaps
/// (`virDomainCheckpointCreateXML`, with `REDEFINE` and `REDEFINE_VALIDATE`).
pub fn redefine(domain: &Domain, checkpoint: &CStr) -> Result<(), Error> {
    let flags = sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE
        | sys::VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE;
    // SAFETY: the domain is alive while it is borrowed, and so is the text.
    let made =
        unsafe { sys::virDomainCheckpointCreateXML(domain.as_ptr(), checkpoint.as_ptr(), flags) };
    if made.is_null() {
        return Err(Error::last_error());
    }
    // SAFETY: it is ours to free, and is used no more.
    unsafe { sys::virDomainCheckpointFree(made) };
    Ok(())
}

/// Describes the domain's checkpoints, without the domain, parents before their children
/// (`virDomainListAllCheckpoints`, `virDomainCheckpointGetXMLDesc`).
pub fn checkpoints(domain: &Domain) -> Result<Vec<String>, Error> {
    let mut list = ptr::null_mut();
    let flags = sys::VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL;
    // SAFETY: the domain is alive while it is borrowed; libvirt sets `list` to an array that is ours
    // to free, with what is in it.
    let count =
        checked(unsafe { sys::virDomainListAllCheckpoints(domain.as_ptr(), &mut list, flags) })?;
    let places = 0..usize::try_from(count).unwrap_or(0);
    let described = places
        // SAFETY: the array has `count` checkpoints.
        .map(|place| unsafe { *list.add(place) })
        .map(|checkpoint| {
            let text = description(checkpoint);
            // SAFETY: it is ours to free, and is used no more.
            unsafe { sys::virDomainCheckpointFree(checkpoint) };
            text
        });
    // All of them, so that all are freed.
    let described: Vec<_> = described.collect();
    // SAFETY: libvirt has allocated the array, and it is used no more.
    unsafe { libc::free(list.cast()) };
    described.into_iter().collect()
}

fn description(checkpoint: sys::virDomainCheckpointPtr) -> Result<String, Error> {
    let flags = sys::VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN;
    // SAFETY: the caller has the checkpoint, and it is alive.
    let text: *mut c_char = unsafe { sys::virDomainCheckpointGetXMLDesc(checkpoint, flags) };
    if text.is_null() {
        return Err(Error::last_error());
    }
    // SAFETY: libvirt gives a text that ends, and that is ours to free.
    let (owned, ()) = unsafe { (CString::from(CStr::from_ptr(text)), libc::free(text.cast())) };
    Ok(owned.to_string_lossy().into_owned())
}
