//! One page that stands alone: go or no go, the versions as a grid, every trouble with its reason, and all
//! cases to choose from.
//!
//! It loads nothing: it can be kept as an artefact and opened years later. What matters is markup, and
//! can be read without its script; that one filters and lists all cases, from [compact data](data). Colour
//! is never the only sign.
//!
//! A text can't become markup: what is not [`Markup`] is escaped where it is put into it.

mod article;
mod causes;
mod comparison;
mod data;
mod difference;
mod excerpt;
mod files;
mod grid;
mod jumps;
mod link;
mod palette;
mod recovered;
mod remarks;
#[cfg(test)]
mod tests;
mod timeline;
mod troubles;
mod verdict;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

pub use comparison::comparison_html;
pub use files::Files;
use link::query;

use crate::{Run, Standing, groups, json::TROUBLES, printable::printable};
use article::Articles;

/// The run as one page, made of what lies in the directory of the run as well.
#[must_use]
pub fn html(run: &Run, files: impl Files) -> String {
    let groups = groups(run, &TROUBLES);
    let why = causes::Causes::of(run);
    let articles = Articles::of(run, &groups, &files);
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            (head())
            body {
                main {
                    (verdict::verdict(run, &groups, &why))
                    div.overview {
                        (grid::grids(run))
                        section.outcome aria-label="outcome" { (remarks::tally(run)) }
                    }
                    (grid::legend())
                    (recovered::recovered(run))
                    (why.told(run))
                    (jumps::jumps(run))
                    (cases())
                    @for death in run.deaths() { (remarks::death(run, &death)) "\n" }
                    (troubles::troubles(run, &groups, &articles))
                    (remarks::remarks(run))
                    (remarks::releases(run))
                }
                script #data type="application/json" {
                    (PreEscaped(data::data(run, &articles, &files)))
                }
                script { (PreEscaped(include_str!("html/page.js"))) }
            }
        }
    };
    printable(&page.into_string()) + "\n"
}

fn head() -> Markup {
    markup! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width,initial-scale=1";
            title { "Migratrix" }
            style { (palette::style()) (PreEscaped(include_str!("html/page.css"))) }
        }
    }
}

/// Where the script lists the cases.
fn cases() -> Markup {
    markup! {
        noscript { p.mute {
            "Without its script the page has no list of all cases and no filters; what went wrong stands below."
        } }
        section #cases.scripted hidden aria-labelledby="all" {
            h2 #all { "Cases" }
            div.browser {
                form #facets role="search" {
                    label { "search" input #search type="search" placeholder="name or reason"; }
                    details #axes { summary { "filters" } }
                }
                div {
                    p #shown role="status" {}
                    p #chosen {}
                    ol #list {}
                    button #more type="button" hidden {}
                }
            }
        }
    }
}

/// The class of what stands so.
const fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Passed => "passed",
        Standing::KnownFailure => "known",
        Standing::Skipped => "skipped",
        Standing::Unknown => "unknown",
        Standing::UnexpectedPass => "news",
        Standing::FailedAtFirst => "flaky",
        Standing::Failed => "failed",
    }
}
