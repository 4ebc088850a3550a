//! The versions as a grid: source × destination in the order of their versions, of all clients together
//! and of each alone. Each cell has the sign of the worst in it beside its colour.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use migratrix_matrix::ReleaseName;

use super::{class, query};
use crate::{
    Judgement, Route, Run, Standing,
    terminal::{Share, share, sign},
};

/// The judgements of each source and destination.
type Cells<'r> = BTreeMap<(&'r ReleaseName, &'r ReleaseName), Vec<&'r Judgement>>;

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
    let destinations = in_order(cells.keys().map(|(_, destination)| *destination).collect());
    html! {
        table.grid {
            caption { (whose.title()) }
            thead { tr {
                th scope="col" { "from ↓ to →" }
                @for destination in &destinations { th scope="col" { (destination) } }
            } }
            tbody { @for source in sources { tr {
                th scope="row" { (source) }
                @for destination in &destinations {
                    (cell(run, whose, (source, destination), &cells))
                }
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
    fn choice(self, (source, destination): (&ReleaseName, &ReleaseName)) -> String {
        let mut choice = vec![
            ("source", source.as_str()),
            ("destination", destination.as_str()),
        ];
        match self {
            Self::All => {}
            Self::Client(client) => choice.push(("client", client.as_str())),
            Self::Nobody => choice.push(("backend", "qemu")),
        }
        query(&choice)
    }
}

fn cell(
    run: &Run,
    whose: Whose<'_>,
    pair: (&ReleaseName, &ReleaseName),
    cells: &Cells<'_>,
) -> Markup {
    let judgements = cells.get(&pair);
    let Some(share) = share(run, judgements.into_iter().flatten().copied()) else {
        return html! { td.none { "–" } };
    };
    let (source, destination) = pair;
    let told = format!("{source} to {destination}: {}, {share}", share.worst.word());
    html! {
        td.cell.(class(share.worst)) {
            a href=(whose.choice(pair)) title=(told) {
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
