//! Models whose covers' sizes are published, and the one of this project.

use std::fmt::Write;

use migratrix_cover::{Cell, Model};

/// A model and a strength.
pub struct Known {
    pub name: &'static str,
    pub strength: usize,
    /// The size that is to be reached.
    pub goal: &'static str,
    sizes: Vec<usize>,
    forbidden: Vec<Vec<Cell>>,
}

impl Known {
    pub fn model(&self) -> Model {
        let mut model = Model::new(&self.sizes);
        for cells in &self.forbidden {
            model.forbid(cells);
        }
        model
    }

    /// The model in the language of PICT.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (column, size) in self.sizes.iter().enumerate() {
            let values: Vec<String> = (0..*size).map(|value| format!("v{value}")).collect();
            let _ = writeln!(text, "c{column}: {}", values.join(", "));
        }
        for cells in &self.forbidden {
            let Some(((column, value), others)) =
                cells.split_last().map(|(last, others)| (*last, others))
            else {
                continue;
            };
            let others = others
                .iter()
                .map(|(column, value)| format!("[c{column}] = \"v{value}\""));
            let others: Vec<String> = others.collect();
            let _ = writeln!(
                text,
                "IF {} THEN [c{column}] <> \"v{value}\";",
                others.join(" AND ")
            );
        }
        text
    }
}

pub fn known() -> Vec<Known> {
    let plain = |name, strength, goal, sizes: &[usize]| Known {
        name,
        strength,
        goal,
        sizes: sizes.to_vec(),
        forbidden: Vec::new(),
    };
    let tck = [4, 4, 4, 3, 2, 2, 2, 2, 2, 2, 2];
    let reference = [(2, "34"), (3, "162, 153"), (4, "701, 669")];
    let reference = reference.map(|(strength, goal)| Known {
        forbidden: forbidden(),
        ..plain(
            "reference",
            strength,
            goal,
            &[3, 8, 2, 2, 2, 2, 2, 2, 4, 4, 4, 3, 4, 3],
        )
    });
    let mut all = Vec::from(reference);
    let of_tck = [(2, "18"), (3, "68"), (4, "205")];
    all.extend(of_tck.map(|(strength, goal)| plain("tck", strength, goal, &tck)));
    all.push(plain("3^13", 2, "18", &[3; 13]));
    all.push(plain("10^20", 2, "193", &[10; 20]));
    all.push(Known {
        forbidden: vec![
            vec![(0, 1), (5, 1)],
            vec![(1, 1), (6, 1)],
            vec![(2, 1), (7, 1)],
        ],
        ..plain(
            "tcas",
            5,
            "under 1 s",
            &[10, 10, 4, 3, 3, 2, 2, 2, 2, 2, 2, 2],
        )
    });
    all
}

/// What excludes rows of a migration: the columns are control (the last is tunnelled), persistence,
/// multifd, post-copy, four other flags, three places, transport (the last is TLS), compression (none,
/// xbzrle, zlib, zstd) and parallel (1, 2, 4).
fn forbidden() -> Vec<Vec<Cell>> {
    const TUNNELLED: Cell = (0, 2);
    const SINGLE: Cell = (2, 0);
    const MULTIFD: Cell = (2, 1);
    const POSTCOPY: Cell = (3, 1);
    const TLS: Cell = (11, 2);
    let [xbzrle, zlib, zstd] = [1, 2, 3].map(|value| (12, value));
    let [two, four] = [1, 2].map(|value| (13, value));
    [
        (TUNNELLED, MULTIFD),
        (TUNNELLED, POSTCOPY),
        (TUNNELLED, TLS),
        (TUNNELLED, two),
        (TUNNELLED, four),
        (zlib, SINGLE),
        (zstd, SINGLE),
        (xbzrle, MULTIFD),
        (two, SINGLE),
        (four, SINGLE),
        (POSTCOPY, xbzrle),
        (POSTCOPY, zlib),
        (POSTCOPY, zstd),
    ]
    .map(|(one, other)| vec![one, other])
    .to_vec()
}
