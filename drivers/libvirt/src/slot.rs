//! A worker's place for a client process, which goes from case to case.

use std::{ffi::OsString, sync::Arc};

use crate::{Client, Error, Listener};

/// Starts a client process when one is needed, and keeps it until it is given up.
pub struct Slot {
    command: Vec<OsString>,
    client: Option<Arc<Client>>,
    pub(crate) listener: Arc<Listener>,
}

impl Slot {
    /// A slot for clients that `command` starts: the program and its arguments. Starts none yet. The
    /// events come by `listener`.
    #[must_use]
    pub const fn new(command: Vec<OsString>, listener: Arc<Listener>) -> Self {
        Self {
            command,
            client: None,
            listener,
        }
    }

    /// The client; started if there is none. One that has ended stays until it is given up.
    ///
    /// # Errors
    /// Returns an error if it can't be started.
    pub fn client(&mut self) -> Result<Arc<Client>, Error> {
        match &self.client {
            Some(client) => Ok(Arc::clone(client)),
            None => {
                let client = Arc::new(Client::spawn(&self.command)?);
                self.client = Some(Arc::clone(&client));
                Ok(client)
            }
        }
    }

    /// Kills the client, if there is one, so that the next use starts another.
    pub async fn give_up(&mut self) {
        if let Some(client) = self.client.take() {
            client.kill().await;
        }
    }

    /// Lets a client that has ended by itself go.
    pub fn reap(&mut self) {
        self.client.take_if(|client| client.is_gone());
    }
}
