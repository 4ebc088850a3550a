//! The versions as a grid: source × destination in the order of their versions, of all clients together
//! and of each alone. Each cell has the sign of the worst in it beside its colour.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use migratrix_matrix::{Axis, ReleaseName, StorageMigration};

use super::{class, query};
use crate::{
    Judgement, Route, Run, Standing,
    terminal::{Share, share, sign},
};

/// From where to where; nowhere where nothing migrates.
type Ends<'r> = (&'r ReleaseName, Option<&'r ReleaseName>);

/// The judgements of each source and destination.
type Cells<'r> = BTreeMap<Ends<'r>, Vec<&'r Judgement>>;

/// The head of the column of cases in which nothing migrates.
const ALONE: &str = "alone";

/// Whose cases a grid has.
#[derive(Clone, Copy)]
enum Whose<'r> {
    All,
    Client(&'r ReleaseName),
    /// QEMUs without libvirt, whom nobody asks as a client.
    Nobody,
}

/// All grids of a run.
pub fn grids(run: &Run) -> Markup {
    let routes = run.by_route();
    let mut clients: Vec<_> = routes.iter().map(|(route, _)| route.client).collect();
    clients.dedup();
    let several = clients.len() > 1;
    html! {
        section #versions aria-label="versions" {
            div.grids {
                @if several { (grid(run, &routes, Whose::All)) }
                @for client in clients {
                    (grid(run, &routes, client.map_or(Whose::Nobody, Whose::Client)))
                }
            }
        }
    }
}

fn grid(run: &Run, routes: &[(Route<'_>, Vec<&Judgement>)], whose: Whose<'_>) -> Markup {
    let mut cells = Cells::new();
    for (route, judgements) in routes.iter().filter(|(route, _)| whose.has(route)) {
        let cell = cells.entry((route.source, route.destination)).or_default();
        cell.extend(judgements);
    }
    let ranks = run.ranks();
    let in_order = |names: BTreeSet<_>| {
        let mut names: Vec<&ReleaseName> = names.into_iter().collect();
        names.sort_by_key(|name| ranks.get(name));
        names
    };
    let sources = in_order(cells.keys().map(|(source, _)| *source).collect());
    let destinations = cells.keys().filter_map(|(_, destination)| *destination);
    let destinations = in_order(destinations.collect()).into_iter().map(Some);
    let alone = cells.keys().any(|(_, destination)| destination.is_none());
    let columns: Vec<_> = destinations.chain(alone.then_some(None)).collect();
    html! {
        table.grid {
            caption { (whose.title()) }
            thead { tr {
                th scope="col" { "from ↓ to →" }
                @for column in &columns {
                    th scope="col" { (column.map_or(ALONE, ReleaseName::as_str)) }
                }
            } }
            tbody { @for source in sources { tr {
                th scope="row" { (source) }
                @for column in &columns { (cell(run, whose, (source, *column), &cells)) }
            } } }
        }
    }
}

impl<'r> Whose<'r> {
    fn has(self, route: &Route<'r>) -> bool {
        match self {
            Self::All => true,
            Self::Client(client) => route.client == Some(client),
            Self::Nobody => route.client.is_none(),
        }
    }

    fn title(self) -> String {
        match self {
            Self::All => "all clients".to_owned(),
            Self::Client(client) => format!("client {client}"),
            Self::Nobody => "QEMU alone".to_owned(),
        }
    }

    /// The choice of cases that a cell is, for the script.
    fn choice(self, (source, destination): Ends<'_>) -> String {
        let stays = (StorageMigration::NAME, StorageMigration::Stay.word());
        let to = destination.map(|name| ("destination", name.as_str()));
        let mut choice = vec![("source", source.as_str()), to.unwrap_or(stays)];
        match self {
            Self::All => {}
            Self::Client(client) => choice.push(("client", client.as_str())),
            Self::Nobody => choice.push(("backend", "qemu")),
        }
        query(&choice)
    }
}

fn cell(run: &Run, whose: Whose<'_>, ends: Ends<'_>, cells: &Cells<'_>) -> Markup {
    let judgements = cells.get(&ends);
    let Some(share) = share(run, judgements.into_iter().flatten().copied()) else {
        return html! { td.none { "–" } };
    };
    let way = match ends {
        (source, Some(destination)) => format!("{source} to {destination}"),
        (source, None) => format!("{source} alone, as nothing migrates"),
    };
    let told = format!("{way}: {}, {share}", share.worst.word());
    html! {
        td.cell.(class(share.worst)) {
            a href=(whose.choice(ends)) title=(told) {
                b { (sign(share.worst)) } " " (figures(&share))
            }
        }
    }
}

/// The share, with what is known in a line of its own.
fn figures(share: &Share) -> Markup {
    html! {
        @if share.tried > 0 && share.known > 0 {
            (share.passed) "/" (share.tried) " " small { (share.known) " known" }
        } @else { (share) }
    }
}

/// What the signs mean.
pub fn legend() -> Markup {
    html! {
        p.legend {
            "A cell: cases that passed of those that were tried, with the sign and the colour of the worst. "
            @for standing in Standing::ALL {
                span { b.(class(standing)) { (sign(standing)) } " " (standing.word()) } " "
            }
        }
    }
}
