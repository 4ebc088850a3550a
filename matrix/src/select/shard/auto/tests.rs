//! What environments name which shard, and which name none.

use super::*;

fn environment(text: &str) -> Environment {
    let pairs = text.split_whitespace().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

fn found(text: &str) -> Result<FoundShard, NoShard> {
    FoundShard::of(&environment(text), ShardBy::Hash)
}

const SLURM: &str = "SLURM_ARRAY_TASK_ID=6 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=4";

#[test]
fn each_system_names_its_shard_by_the_index_that_it_begins_with() {
    for (text, shard, system) in [
        ("CI_NODE_INDEX=2 CI_NODE_TOTAL=4", "2/4", "GitLab CI"),
        (
            "STRATEGY_JOB_INDEX=0 STRATEGY_JOB_TOTAL=4",
            "1/4",
            "GitHub Actions",
        ),
        ("SHARD_INDEX=4 SHARD_COUNT=4", "4/4", "Jenkins"),
        (
            "JOB_COMPLETION_INDEX=3 JOB_COMPLETIONS=4",
            "4/4",
            "Kubernetes",
        ),
        (SLURM, "3/4", "Slurm"),
    ] {
        let found = found(text).expect(text);
        assert_eq!(found.shard, shard.parse().expect("a shard"), "{text}");
        assert_eq!(found.system, system);
        let told: Vec<_> = text.split(' ').collect();
        assert_eq!(found.by, told.join(", "));
    }
    let slices = environment("SHARD_INDEX=1 SHARD_COUNT=2");
    let slice = FoundShard::of(&slices, ShardBy::Slice).expect("it is whole");
    assert_eq!(
        slice.to_string(),
        "slice:1/2 by SHARD_INDEX=1, SHARD_COUNT=2 of Jenkins"
    );
}

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let told = found(text).expect_err("it names none").to_string();
    for word in words {
        assert!(told.contains(word), "`{word}` is missing in: {told}");
    }
}

#[test]
fn what_names_no_shard_is_told_with_the_variables_that_would() {
    refused("", &["CI_NODE_INDEX", "SLURM_ARRAY_TASK_ID", "--shard 2/4"]);
    refused(
        "CI_NODE_TOTAL=1",
        &[
            "CI_NODE_TOTAL=1 of GitLab CI",
            "CI_NODE_INDEX is not set",
            "parallel",
        ],
    );
    refused(
        "JOB_COMPLETION_INDEX=0",
        &["JOB_COMPLETIONS is not set", "Indexed"],
    );
    refused(
        "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=2",
        &["SLURM_ARRAY_TASK_MIN is not set"],
    );
}

#[test]
fn a_value_that_can_not_be_is_named_with_its_variable() {
    refused(
        "CI_NODE_INDEX=two CI_NODE_TOTAL=4",
        &["CI_NODE_INDEX=`two`", "no number"],
    );
    refused("SHARD_INDEX=-1 SHARD_COUNT=4", &["SHARD_INDEX=`-1`"]);
    refused(
        "STRATEGY_JOB_INDEX= STRATEGY_JOB_TOTAL=4",
        &["STRATEGY_JOB_INDEX=``"],
    );
    refused(
        "CI_NODE_INDEX=5 CI_NODE_TOTAL=4",
        &["CI_NODE_INDEX=5, CI_NODE_TOTAL=4", "from 1 to 4"],
    );
    refused("CI_NODE_INDEX=0 CI_NODE_TOTAL=4", &["from 1 to 4"]);
    refused("JOB_COMPLETION_INDEX=4 JOB_COMPLETIONS=4", &["from 0 to 3"]);
    refused(
        "SHARD_INDEX=1 SHARD_COUNT=0",
        &["SHARD_COUNT=0", "name the axis"],
    );
}

#[test]
fn an_array_with_gaps_is_refused_since_no_task_knows_its_place() {
    let of = |id: u32, max: u32| {
        format!(
            "SLURM_ARRAY_TASK_ID={id} SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX={max}"
        )
    };
    assert!(found(&of(2, 3)).is_ok());
    for id in [1, 5] {
        refused(
            &of(id, 5),
            &["SLURM_ARRAY_TASK_COUNT=3", "--array=1-COUNT, without gaps"],
        );
    }
}

#[test]
fn two_systems_that_disagree_are_both_named_and_half_of_one_disturbs_no_other() {
    let gitlab = "CI_NODE_INDEX=1 CI_NODE_TOTAL=2";
    refused(
        &format!("{gitlab} {SLURM}"),
        &[
            "hash:1/2 by CI_NODE_INDEX=1",
            "of GitLab CI",
            "hash:3/4 by SLURM_ARRAY_TASK_ID=6",
            "of Slurm",
        ],
    );
    let same = format!("{gitlab} SHARD_INDEX=1 SHARD_COUNT=2");
    assert_eq!(found(&same).expect("they agree").system, "GitLab CI");
    let within = format!("CI_NODE_TOTAL=1 {SLURM}");
    assert_eq!(found(&within).expect("it is whole").system, "Slurm");
}
