//! Copies of this process, each of which is a client of its own.
//!
//! Most of a client's start is the dynamic linker's, who looks some ten thousand symbols up in libvirt and in
//! all that libvirt links. It is done once: the *original* is linked and waits, and each copy goes on from
//! there. The original never calls libvirt, so that a copy finds the library as a new process would.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::OwnedFd,
};

use rustix::{
    cmsg_space,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stdin},
};

use crate::calls::{self, Copied};

/// The pipes of a client.
const PIPES: usize = 3;

/// Makes copies for as long as somebody asks for some, and returns in each of them: with the pipes that it was
/// asked for with as its standard input, output and errors. In the original it returns at the end.
pub fn make() -> io::Result<Copied> {
    while let Some([input, output, errors]) = asked()? {
        match calls::copy() {
            Ok(Copied::Original(number)) => {
                send(stdin(), &number.to_ne_bytes(), SendFlags::NOSIGNAL)?;
            }
            Ok(Copied::Copy) => {
                dup2_stdin(input)?;
                dup2_stdout(output)?;
                dup2_stderr(errors)?;
                return Ok(Copied::Copy);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Copied::Original(0))
}

/// Waits until a copy is asked for, and gives its pipes. `None` where nobody will ask any more.
fn asked() -> io::Result<Option<[OwnedFd; PIPES]>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(PIPES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut word = [0];
    let word = &mut [IoSliceMut::new(&mut word)];
    let message = recvmsg(stdin(), word, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if message.bytes == 0 {
        return Ok(None);
    }
    let handles = control.drain().filter_map(|message| {
        let RecvAncillaryMessage::ScmRights(handles) = message else {
            return None;
        };
        Some(handles)
    });
    let handles: Vec<_> = handles.flatten().collect();
    let pipes = handles.try_into();
    let other = |_| io::Error::new(io::ErrorKind::InvalidData, "a copy has three pipes");
    pipes.map(Some).map_err(other)
}
