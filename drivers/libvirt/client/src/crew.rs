//! The threads that answer requests: as many as there are requests at one time, so that a long call
//! holds up no other. One that has answered waits for the next request.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use migratrix_client::wire::{Op, Reply, Request};

use crate::{hosts::Hosts, ops, outlet};

/// The threads, and how requests reach them.
pub struct Crew {
    hosts: Arc<Hosts>,
    requests: Sender<Request>,
    waiting: Arc<Waiting>,
}

/// What a thread without a request waits for.
struct Waiting {
    requests: Mutex<Receiver<Request>>,
    /// How many threads wait that no request was sent for.
    idle: AtomicUsize,
}

impl Crew {
    /// No threads yet.
    pub fn new(hosts: Arc<Hosts>) -> Self {
        let (requests, receiver) = mpsc::channel();
        let waiting = Arc::new(Waiting {
            requests: Mutex::new(receiver),
            idle: AtomicUsize::new(0),
        });
        Self {
            hosts,
            requests,
            waiting,
        }
    }

    /// Has `request` answered by a thread that waits, or by a new one. To be called by one thread
    /// alone.
    pub fn serve(&self, request: Request) {
        if self.waiting.idle.load(Ordering::Acquire) > 0 {
            self.waiting.idle.fetch_sub(1, Ordering::AcqRel);
            self.requests.send(request).expect("its receiver is ours");
            return;
        }
        let (hosts, waiting) = (Arc::clone(&self.hosts), Arc::clone(&self.waiting));
        let id = request.id;
        if let Err(error) = thread::Builder::new().spawn(move || work(&hosts, &waiting, request)) {
            outlet::answer(Some(id), Reply::Bad(format!("no thread: {error}")));
        }
    }
}

/// Answers `request`, and then what else comes.
fn work(hosts: &Arc<Hosts>, waiting: &Waiting, request: Request) {
    let mut next = Ok(request);
    while let Ok(Request { id, op }) = next {
        let reply = guarded(hosts, &op);
        waiting.idle.fetch_add(1, Ordering::AcqRel);
        outlet::answer(Some(id), reply);
        let requests = waiting.requests.lock();
        next = requests.unwrap_or_else(PoisonError::into_inner).recv();
    }
}

fn guarded(hosts: &Arc<Hosts>, op: &Op) -> Reply {
    panic::catch_unwind(AssertUnwindSafe(|| ops::perform(hosts, op)))
        .unwrap_or_else(|_| Reply::Bad("the client library's wrapper panicked".to_owned()))
}
