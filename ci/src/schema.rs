//! `migratrix schema`: the JSON schemas of what a run writes, for programs that read it.

use clap::ValueEnum;
use migratrix_history::line_schema;
use migratrix_matrix::Plan;
use migratrix_reports::{Account, Judgement, Jumps, comparison_schema, summary_schema};
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};

/// What there is a schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// `plan.json`
    Plan,
    /// A line of a file below `history`
    History,
    /// A line of `verdicts.jsonl`
    Verdicts,
    /// `summary.json`
    Summary,
    /// What `compare --json` writes
    Comparison,
    /// What `migratrix explain --format json` prints
    Account,
    /// What `migratrix jump --format json` prints
    Jumps,
}

impl Written {
    /// Its schema, as this version writes it.
    #[must_use]
    pub fn schema(self) -> Schema {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let generator = SchemaGenerator::new(settings);
        match self {
            Self::Plan => generator.into_root_schema_for::<Plan>(),
            Self::History => line_schema(generator),
            Self::Verdicts => generator.into_root_schema_for::<Judgement>(),
            Self::Summary => summary_schema(generator),
            Self::Comparison => comparison_schema(generator),
            Self::Account => generator.into_root_schema_for::<Account>(),
            Self::Jumps => generator.into_root_schema_for::<Jumps>(),
        }
    }
}

/// Prints the schema.
///
/// # Errors
/// Fails where it is no JSON.
pub fn schema(of: Written) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&of.schema())?);
    Ok(())
}
