//! A worker's place for client processes, which go from case to case.

use std::{collections::HashMap, sync::Arc};

use migratrix_client::wire::{Op, Said};

use crate::{Client, Error, Listener, Program};

/// Starts client processes when they are needed, and keeps them until they are given up.
pub struct Slot {
    program: Arc<Program>,
    clients: HashMap<Role, Arc<Client>>,
    /// What the main client has said of its library.
    version: Option<u64>,
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
    /// Migrations of other guests beside the case's own: one of several such clients.
    Beside(usize),
}

impl Slot {
    /// A slot for clients of this program. Starts none yet. The events come by `listener`.
    #[must_use]
    pub fn new(program: Arc<Program>, listener: Arc<Listener>) -> Self {
        Self {
            program,
            clients: HashMap::new(),
            version: None,
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
        let client = Arc::new(Client::start(&self.program)?);
        self.clients.insert(role, Arc::clone(&client));
        Ok(client)
    }

    /// The version of the main client's library, by its own word: each process is asked once.
    pub(crate) async fn version(&mut self) -> Result<u64, Error> {
        if let Some(version) = self.version {
            return Ok(version);
        }
        let Said::Version(version) = self.client()?.ask(Op::Version).await? else {
            return Err(Error::Malformed("version"));
        };
        self.version = Some(version);
        Ok(version)
    }

    /// Kills all clients, so that the next use starts others.
    pub async fn give_up(&mut self) {
        for (_, client) in self.clients.drain() {
            client.kill().await;
        }
        self.forget_version();
    }

    /// Kills the client for this, if there is one.
    pub(crate) async fn give_up_for(&mut self, role: Role) {
        if let Some(client) = self.clients.remove(&role) {
            client.kill().await;
        }
        self.forget_version();
    }

    /// Lets clients that have ended by themselves go.
    pub fn reap(&mut self) {
        self.clients.retain(|_, client| !client.is_gone());
        self.forget_version();
    }

    /// What a process said is not what another one would.
    fn forget_version(&mut self) {
        if !self.clients.contains_key(&Role::Main) {
            self.version = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    /// A client that knows its version by its own number, once.
    const ONCE: &str = r#"read a; echo '{"id":1,"ok":{"version":'$$'}}'; read b"#;

    #[tokio::test]
    async fn each_main_client_is_asked_for_its_version_once() {
        let command = ["sh", "-c", ONCE].map(OsString::from);
        let program = Arc::new(Program::new(command.to_vec()));
        let mut slot = Slot::new(Arc::clone(&program), Listener::new(program));
        let first = slot.version().await.unwrap();
        assert_eq!(slot.version().await.unwrap(), first);
        slot.give_up_for(Role::Caller).await;
        assert_eq!(slot.version().await.unwrap(), first);
        slot.give_up().await;
        assert_ne!(slot.version().await.unwrap(), first);
    }
}
