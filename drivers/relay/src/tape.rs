//! What went by, connection by connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use migratrix_guest::Parameters;
use migratrix_history::Wire;

use crate::Way;

/// Keeps what went by, connection by connection.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    guest: Parameters,
    connections: Arc<Mutex<Vec<Heard>>>,
}

/// What went by on one connection.
#[derive(Clone, Debug, Default)]
struct Heard {
    sent: Vec<u8>,
    received: Vec<u8>,
    stamped: bool,
}

impl Tape {
    /// An empty one, which knows the stamps of this guest.
    pub(crate) fn of(guest: Parameters) -> Self {
        Self {
            guest,
            connections: Arc::default(),
        }
    }

    /// What went by until now.
    pub(crate) fn heard(&self) -> Vec<Wire> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let connections = self.connections();
        let told = connections.iter().map(|one| Wire {
            sent: hex(&one.sent),
            received: hex(&one.received),
            stamped: one.stamped,
        });
        told.collect()
    }

    /// Begins with one more connection, and says which it is.
    pub(crate) fn begin(&self) -> usize {
        let mut connections = self.connections();
        connections.push(Heard::default());
        connections.len() - 1
    }

    pub(crate) fn hear(&self, connection: usize, way: Way, bytes: &[u8]) {
        let mut connections = self.connections();
        let Some(heard) = connections.get_mut(connection) else {
            return;
        };
        let kept = match way {
            Way::Forward => {
                heard.stamped = heard.stamped || self.guest.lies_in(bytes);
                &mut heard.sent
            }
            Way::Back => &mut heard.received,
        };
        let room = Wire::KEPT.saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Heard>> {
        let connections = self.connections.lock();
        connections.unwrap_or_else(PoisonError::into_inner)
    }
}
