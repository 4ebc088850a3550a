//! A worker's place for client processes, which go from case to case.

use std::{collections::HashMap, ffi::OsString, sync::Arc};

use crate::{Client, Error, Listener};

/// Starts client processes when they are needed, and keeps them until they are given up.
pub struct Slot {
    command: Vec<OsString>,
    clients: HashMap<Role, Arc<Client>>,
    pub(crate) listener: Arc<Listener>,
}

/// What a client process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// All that a case does and looks at.
    Main,
    /// A migration that is begun, and is not the only thing that goes on: this is the client that may be
    /// killed.
    Caller,
    /// Looks at both sides while all else goes on.
    Watcher,
}

impl Slot {
    /// A slot for clients that `command` starts: the program and its arguments. Starts none yet. The
    /// events come by `listener`.
    #[must_use]
    pub fn new(command: Vec<OsString>, listener: Arc<Listener>) -> Self {
        Self {
            command,
            clients: HashMap::new(),
            listener,
        }
    }

    /// The main client, see [`Slot::client_for`].
    ///
    /// # Errors
    /// Returns an error if it can't be started.
    pub fn client(&mut self) -> Result<Arc<Client>, Error> {
        self.client_for(Role::Main)
    }

    /// The client for this; started if there is none. One that has ended stays until it is given up.
    ///
    /// # Errors
    /// Returns an error if it can't be started.
    pub fn client_for(&mut self, role: Role) -> Result<Arc<Client>, Error> {
        if let Some(client) = self.clients.get(&role) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(Client::spawn(&self.command)?);
        self.clients.insert(role, Arc::clone(&client));
        Ok(client)
    }

    /// Kills all clients, so that the next use starts others.
    pub async fn give_up(&mut self) {
        for role in [Role::Main, Role::Caller, Role::Watcher] {
            self.give_up_for(role).await;
        }
    }

    /// Kills the client for this, if there is one.
    pub(crate) async fn give_up_for(&mut self, role: Role) {
        if let Some(client) = self.clients.remove(&role) {
            client.kill().await;
        }
    }

    /// Lets clients that have ended by themselves go.
    pub fn reap(&mut self) {
        self.clients.retain(|_, client| !client.is_gone());
    }
}
