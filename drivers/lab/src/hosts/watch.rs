//! What is watched on a host for as long as one run of it lasts: what was there from the start, and whose the
//! rest is.

use std::{collections::BTreeSet, io};

use migratrix_contract::{Leftovers, Owner};

use crate::hosts::{
    folders::Folders,
    inventory::{Inventory, Scope, Thing},
    leftovers::Books,
    listeners::{Listener, Listeners},
};

/// What is known of all that is on a host, in one run of it.
#[derive(Debug)]
pub(crate) struct Watch {
    first: i32,
    listeners: Listeners,
    /// What was there from the start.
    things: BTreeSet<Thing>,
    heard: BTreeSet<Listener>,
    folders: Folders,
    pub(crate) books: Books,
    /// Whether the daemon has served a case: until then it makes itself at home.
    settled: bool,
    /// The domains of cases that were there before it: what they were served by may be another.
    earlier: BTreeSet<String>,
}

/// All that is on the host of this first process, but for its listeners.
fn all(first: i32, folders: &mut Folders) -> io::Result<Inventory> {
    let scope = Scope {
        first,
        listeners: &[],
        from_the_start: None,
        folders,
    };
    scope.take()
}

impl Watch {
    /// Begins with what is there now.
    pub(crate) fn begin(first: i32) -> io::Result<Self> {
        let listeners = Listeners::of(first)?;
        let heard = listeners.now()?.into_iter().collect();
        let mut folders = Folders::default();
        Ok(Self {
            first,
            heard,
            listeners,
            things: all(first, &mut folders)?.things.into_keys().collect(),
            folders,
            books: Books::default(),
            settled: false,
            earlier: BTreeSet::new(),
        })
    }

    /// What is there when the daemon has served its first case, that of this domain, belongs to the host, but for
    /// what carries the name of a case.
    pub(crate) fn settle(&mut self, domain: &str) {
        if self.settled || self.earlier.contains(domain) {
            return;
        }
        if let Ok(now) = all(self.first, &mut self.folders) {
            let (things, books) = (now.things, &self.books);
            let common = things.into_iter().filter(|(_, text)| !books.has(text));
            self.things.extend(common.map(|(thing, _)| thing));
            self.settled = true;
        }
    }

    /// Whether what is new may be a case's: the daemon has served one.
    pub(crate) const fn is_settled(&self) -> bool {
        self.settled
    }

    /// The same, of a host that these cases are on already.
    pub(crate) fn with(mut self, present: Vec<Owner>) -> Self {
        for owner in present {
            self.books.enter(&owner);
            self.earlier.insert(owner.domain);
        }
        self
    }

    /// What is left of the case with the domain of this name.
    pub(crate) fn left(&mut self, domain: &str) -> io::Result<Leftovers> {
        let now = self.now()?;
        Ok(self.left_of(now, domain))
    }

    /// The same, by what is there now. Until the daemon has served a case, what is nobody's may be what it makes for
    /// itself: that is no case's.
    fn left_of(&mut self, mut now: Inventory, domain: &str) -> Leftovers {
        if !self.settled {
            now.things.retain(|_, text| self.books.has(text));
        }
        self.books.left(&now, domain)
    }

    /// What is there now and was not from the start.
    pub(crate) fn now(&mut self) -> io::Result<Inventory> {
        let listeners = self.listeners.now()?.into_iter();
        let new: Vec<_> = listeners.filter(|one| !self.heard.contains(one)).collect();
        let scope = Scope {
            first: self.first,
            listeners: &new,
            from_the_start: Some(&self.things),
            folders: &mut self.folders,
        };
        scope.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(domain: &str) -> Owner {
        Owner {
            domain: domain.to_owned(),
            uuids: ["first", "second"].map(|which| format!("{domain}-{which}")),
        }
    }

    fn this_process() -> i32 {
        i32::try_from(std::process::id()).expect("a number of a process")
    }

    /// That of a host that has nothing.
    fn of_nothing() -> Watch {
        Watch {
            first: this_process(),
            listeners: Listeners::of(this_process()).expect("this process can be looked at"),
            things: BTreeSet::new(),
            heard: BTreeSet::new(),
            folders: Folders::default(),
            books: Books::default(),
            settled: false,
            earlier: BTreeSet::new(),
        }
    }

    fn with(names: &[&str]) -> Inventory {
        let file = |name: &&str| (Thing::File(format!("/run/{name}")), (*name).to_owned());
        Inventory {
            things: names.iter().map(file).collect(),
        }
    }

    #[test]
    fn a_case_that_was_there_before_the_daemon_does_not_tell_that_it_is_at_home() {
        let begun = Watch::begin(this_process()).expect("this process can be looked at");
        let mut watch = begun.with(vec![owner("old")]);
        watch.settle("old");
        assert!(!watch.is_settled());
        watch.settle("new");
        assert!(watch.is_settled());
    }

    #[test]
    fn what_a_fresh_daemon_makes_for_itself_is_left_by_none_of_those_who_were_there_before_it() {
        let mut watch = of_nothing().with(vec![owner("old"), owner("other")]);
        let now = || with(&["libvirt", "old.monitor"]);
        let left = watch.left_of(now(), "old");
        assert_eq!(left.own, ["file /run/old.monitor"], "it carries its name");
        assert_eq!(left.unowned, [""; 0]);
        watch.books.let_time_go_by();
        watch.books.leave("old");
        watch.books.leave("other");
        assert_eq!(watch.books.strays(), [""; 0]);
    }

    #[test]
    fn what_is_nobodys_is_told_of_a_host_that_has_served_a_case() {
        let mut watch = of_nothing().with(vec![owner("old"), owner("new")]);
        watch.settled = true;
        let left = watch.left_of(with(&["libvirt"]), "old");
        assert_eq!(left.unowned, ["file /run/libvirt"]);
        watch.books.let_time_go_by();
        watch.books.leave("old");
        assert_eq!(watch.books.strays(), ["file /run/libvirt"]);
    }
}
