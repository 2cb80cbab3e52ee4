//! Every target with its corpus, and with bytes that nobody chose.

use std::{fs, path::Path};

use fuzz_targets::{run, TARGETS};
use proptest::prelude::*;

/// The inputs of a target: seeds, and what was once a finding.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |path: std::path::PathBuf| (path.display().to_string(), fs::read(&path).expect("readable"));
    files.map(|file| read(file.expect("a file").path())).collect()
}

#[test]
fn the_corpus_of_every_target_is_without_a_finding() {
    for (target, _) in TARGETS {
        let inputs = corpus(target);
        assert!(inputs.len() >= 5, "{target} has {} seeds", inputs.len());
        for (path, input) in inputs {
            println!("{path}");
            run(target, &input);
        }
    }
}

#[test]
fn parts_of_seeds_one_behind_another_are_without_a_finding() {
    let pieces: Vec<Vec<u8>> =
        TARGETS.iter().flat_map(|(target, _)| corpus(target)).map(|(_, input)| input).collect();
    let piece = (prop::sample::select(pieces), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let input = prop::collection::vec(piece, 1..4).prop_map(|pieces| {
        let parts = pieces.into_iter().map(|(piece, a, b)| {
            let (a, b) = (a.index(piece.len() + 1), b.index(piece.len() + 1));
            piece[a.min(b)..a.max(b)].to_vec()
        });
        parts.collect::<Vec<_>>().concat()
    });
    proptest!(|(target in prop::sample::select(TARGETS), input in input)| {
        (target.1)(&input);
    });
}
