//! The thread that starts QEMUs.
//!
//! To start a program takes until its file is executed: where the machine is busy, a third of a second in which
//! a thread that serves connections would serve none of them, and hear late what QEMU says. And what is bound
//! to its parent's life dies with the *thread* that started it: this one lives as long as the process.

use std::{
    io,
    sync::{LazyLock, mpsc},
    thread,
};

use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

/// What is to be started, and for whom.
struct Order {
    command: Command,
    runtime: Handle,
    started: oneshot::Sender<io::Result<Child>>,
}

static ORDERS: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
    let (sender, orders) = mpsc::channel();
    thread::spawn(move || orders.into_iter().for_each(Order::carry_out));
    sender
});

impl Order {
    fn carry_out(mut self) {
        let _entered = self.runtime.enter();
        let started = self.command.spawn();
        // Where nobody waits for it any more, it is killed as it is dropped.
        drop(self.started.send(started));
    }
}

/// Starts a program, which is then the runtime's that this is called from.
///
/// # Panics
/// Panics outside a Tokio runtime.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let (sender, started) = oneshot::channel();
    let order = Order {
        command,
        runtime: Handle::current(),
        started: sender,
    };
    let gone = || io::Error::other("the thread that starts programs has ended");
    ORDERS.send(order).map_err(|_| gone())?;
    started.await.map_err(|_| gone())?
}
