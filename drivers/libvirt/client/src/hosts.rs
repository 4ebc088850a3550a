//! The hosts that are connected to, by which name, and whose events go out.

use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use migratrix_client::wire::{Event, EventKind, HostFacts, Line};
use migratrix_history::Side;
use virt::{connect::Connect, domain::Domain, error::Error};

use crate::{
    calls::{self, Told},
    event_loop, outlet, words,
};

/// To how many hosts connections are kept: those of a case, and of the one before. Each costs its host a keepalive.
const KEPT: usize = 4;

/// Connections by their URIs, which stay open from case to case, and what this case calls them.
#[derive(Default)]
pub struct Hosts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Those that were asked for last are the last.
    open: Vec<(String, Lines)>,
    names: HashMap<Side, String>,
    heard: HashMap<String, Heard>,
    kept: HashMap<(Side, Channel), Domain>,
}

/// A connection that is listened to; many may ask for one at the same time, and one is opened.
type Heard = Arc<Mutex<Option<Ear>>>;

/// A connection whose events are sent, for as long as they are wanted: it stays open by itself while it has
/// them to tell.
struct Ear {
    host: Connect,
    wanted: Arc<AtomicBool>,
}

/// Which connection to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The one for what is done.
    Work,
    /// The one for what is read while the other one may be busy with a long call.
    Aside,
}

/// Two connections to one host. In old client libraries (seen with 7.0 and 9.0) a call can hold up
/// another one on the same connection until its own answer comes, so that nothing could be read
/// during a migration.
#[derive(Clone)]
struct Lines {
    work: Connect,
    aside: Connect,
    facts: HostFacts,
}

impl Hosts {
    /// Calls the host at `uri` by the name of `side`. A connection that still answers is kept.
    pub fn open(&self, side: Side, uri: &str) -> Result<HostFacts, Error> {
        {
            let mut inner = self.inner();
            inner.names.insert(side, uri.to_owned());
            inner.kept.clear();
        }
        let kept = self.kept_lines(uri);
        if let Some(facts) = kept.and_then(|lines| lines.facts_now().ok()) {
            return Ok(facts);
        }
        let work = Connect::open(Some(uri))?;
        let aside = Connect::open(Some(uri))?;
        let facts = HostFacts {
            hostname: work.hostname()?,
            libvirt: work.lib_version()?.into(),
            hypervisor: work.hyp_version()?.into(),
        };
        let lines = Lines {
            work,
            aside,
            facts: facts.clone(),
        };
        self.keep(uri, lines);
        Ok(facts)
    }

    /// The connections to a host that are kept, which are asked for now.
    fn kept_lines(&self, uri: &str) -> Option<Lines> {
        let open = &mut self.inner().open;
        let place = open.iter().position(|(of, _)| of == uri)?;
        open[place..].rotate_left(1);
        open.last().map(|(_, lines)| lines.clone())
    }

    /// Keeps connections in place of those to the same host, and of those that were not asked for the longest.
    fn keep(&self, uri: &str, lines: Lines) {
        let mut inner = self.inner();
        let all = mem::take(&mut inner.open);
        let (mut gone, mut open): (Vec<_>, _) = all.into_iter().partition(|(of, _)| of == uri);
        open.push((uri.to_owned(), lines));
        let surplus = open.len().saturating_sub(KEPT);
        gone.extend(open.drain(..surplus));
        inner.open = open;
        let_go(gone);
    }

    /// As [`Hosts::listen`], of a host that was away: no connection is kept.
    pub fn listen_anew(&self, uri: &str) -> Result<(), Error> {
        let heard = Arc::clone(self.inner().heard.entry(uri.to_owned()).or_default());
        let old = heard.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(old) = old {
            old.wanted.store(false, Ordering::Release);
            let_go(old);
        }
        self.listen(uri)
    }

    /// Sends the events of all domains of the host at `uri`. A connection that is up is kept.
    pub fn listen(&self, uri: &str) -> Result<(), Error> {
        let heard = Arc::clone(self.inner().heard.entry(uri.to_owned()).or_default());
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_up = |ear: &Ear| ear.host.is_alive() == Ok(true);
        if heard.as_ref().is_some_and(is_up) {
            return Ok(());
        }
        let host = Connect::open(Some(uri))?;
        let (of, wanted) = (uri.to_owned(), Arc::new(AtomicBool::new(true)));
        let is_wanted = Arc::clone(&wanted);
        calls::listen(&host, move |domain, told| {
            if is_wanted.load(Ordering::Acquire) {
                tell(&of, domain, told);
            }
        })?;
        *heard = Some(Ear { host, wanted });
        Ok(())
    }

    /// Waits until all that the host at `uri` has told until now has been sent.
    pub fn settle(&self, uri: &str) -> Result<(), Error> {
        let heard = self.inner().heard.get(uri).map(Arc::clone);
        let heard = heard.and_then(|heard| {
            let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.as_ref().map(|ear| ear.host.clone())
        });
        if let Some(host) = heard {
            // Its answer comes after what the host has told before; what has come is with the loop.
            host.lib_version()?;
            event_loop::turn();
        }
        Ok(())
    }

    /// The connection that goes by the name of `side`, where one was opened.
    pub fn work(&self, side: Side) -> Option<Connect> {
        self.lines(side).map(|lines| lines.work)
    }

    /// The domain of the case as it was last looked up over `channel`, which costs no call.
    pub fn kept(&self, side: Side, channel: Channel, domain: &str) -> Option<Domain> {
        let kept = self.inner().kept.get(&(side, channel)).cloned();
        kept.filter(|kept| kept.name().is_ok_and(|name| name == domain))
    }

    /// Looks the domain up, and keeps it.
    pub fn look_up(
        &self,
        side: Side,
        channel: Channel,
        domain: &str,
    ) -> Option<Result<Domain, Error>> {
        let lines = self.lines(side)?;
        let host = match channel {
            Channel::Work => lines.work,
            Channel::Aside => lines.aside,
        };
        let found = host.lookup_domain_by_name(domain);
        if let Ok(found) = &found {
            self.inner().kept.insert((side, channel), found.clone());
        }
        Some(found)
    }

    /// Whether both connections to the host are still up.
    pub fn are_alive(&self, side: Side) -> bool {
        let alive = |host: &Connect| host.is_alive() == Ok(true);
        self.lines(side)
            .is_some_and(|lines| alive(&lines.work) && alive(&lines.aside))
    }

    fn lines(&self, side: Side) -> Option<Lines> {
        let inner = self.inner();
        let uri = inner.names.get(&side)?;
        let mut open = inner.open.iter();
        open.find(|(of, _)| of == uri)
            .map(|(_, lines)| lines.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// What the connection says of its host now: only the hypervisor may be another one by now.
    fn facts_now(&self) -> Result<HostFacts, Error> {
        Ok(HostFacts {
            hypervisor: self.work.hyp_version()?.into(),
            ..self.facts.clone()
        })
    }
}

/// Closes connections, and does not wait for it: each says farewell to its host, which may take a while to be heard.
fn let_go(connections: impl Send + 'static) {
    thread::spawn(move || drop(connections));
}

/// Sends an event out.
fn tell(uri: &str, domain: &str, told: Told) {
    let what = match told {
        Told::Lifecycle(event, detail) => {
            let (event, detail) = words::event(event, detail);
            EventKind::Lifecycle(event, detail)
        }
        Told::Iteration(pass) => EventKind::Iteration(pass),
        Told::JobEnded(job) => EventKind::JobEnded(job),
    };
    outlet::say(&Line::Event {
        event: Event {
            uri: uri.to_owned(),
            domain: domain.to_owned(),
            what,
        },
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// libvirt's own driver for tests: each name is another host to it.
    fn host(name: &str) -> String {
        format!("test:///default?{name}")
    }

    #[test]
    fn connections_are_kept_to_the_hosts_that_were_asked_for_last() {
        let hosts = Hosts::default();
        for name in ["a", "b", "c", "d", "a", "e", "f"] {
            hosts.open(Side::Source, &host(name)).unwrap();
            assert!(hosts.are_alive(Side::Source));
        }
        let open = hosts
            .inner()
            .open
            .iter()
            .map(|(of, _)| of.clone())
            .collect::<Vec<_>>();
        assert_eq!(open, ["d", "a", "e", "f"].map(host));
        hosts.open(Side::Destination, &host("d")).unwrap();
        assert!(hosts.are_alive(Side::Source) && hosts.are_alive(Side::Destination));
    }
}
