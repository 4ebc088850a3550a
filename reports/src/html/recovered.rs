//! What was left of struck migrations, as a grid of faults and moments for each pair.

use maud::{Markup, html};

use super::{class, link::query};
use crate::{
    Run,
    recovered::{NO_CASE, grids, legend},
};

/// The grids of a run: nothing where it has no struck migration.
pub fn recovered(run: &Run) -> Markup {
    let grids = grids(run);
    html! {
        @if !grids.is_empty() {
            section #recovered aria-labelledby="left" {
                h2 #left { "What was left when it was struck" }
                @for grid in &grids {
                    div.scroll { table.grid {
                        caption { (grid.pair.0) " → " (grid.pair.1) }
                        thead { tr {
                            th scope="col" { "fault ↓ at →" }
                            @for moment in &grid.moments { th scope="col" { (moment) } }
                        } }
                        tbody { @for (strike, cells) in &grid.rows { tr {
                            th scope="row" { (strike) }
                            @for (moment, cell) in grid.moments.iter().zip(cells) {
                                @match cell {
                                    Some(cell) => td.(class(cell.worst)) {
                                        a href=(query(&[
                                            ("strike", strike.word()),
                                            ("moment", moment.word()),
                                        ])) { (cell.told()) }
                                    },
                                    None => td { (NO_CASE) },
                                }
                            }
                        } } }
                    } }
                    @if !grid.steps.is_empty() {
                        ul { @for step in &grid.steps { li { (step) } } }
                    }
                }
                p.mute { (legend(&grids)) }
            }
        }
    }
}
