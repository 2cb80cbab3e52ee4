//! Runs models: `models --list`, or `models NAME EXECUTIONS SEED [FAULT]`. Half of the executions take any order at random, half are
//! by PCT (Burckhardt and others, 2010), which switches threads a few times only, at places that matter.

use std::{env, process::ExitCode};

use im_client::models::{self, Model};
use shuttle::{
    scheduler::{PctScheduler, RandomScheduler},
    Config, Runner,
};

/// A bug of so many switches is found.
const DEPTH: usize = 4;

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = 1 << 19;
    config.silence_warnings = true;
    config.ungraceful_shutdown_config.immediately_return_on_panic = true;
    config
}

fn run(model: &Model, executions: usize, seed: u64) {
    let half = executions.div_ceil(2);
    Runner::new(RandomScheduler::new_from_seed(seed, half), config()).run(model.run);
    Runner::new(PctScheduler::new_from_seed(seed, DEPTH, half), config()).run(model.run);
}

fn main() -> ExitCode {
    let given: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    let (name, executions, seed) = match words[..] {
        ["--list"] => {
            models::all().for_each(|model| println!("{}", model.name));
            return ExitCode::SUCCESS;
        }
        [name, executions, seed] => (name, executions, seed),
        [name, executions, seed, fault] => {
            models::arm(fault.to_owned());
            (name, executions, seed)
        }
        _ => return ExitCode::from(2),
    };
    let (Ok(executions), Ok(seed)) = (executions.parse(), seed.parse()) else { return ExitCode::from(2) };
    let Some(model) = models::all().find(|model| model.name == name) else { return ExitCode::from(2) };
    run(model, executions, seed);
    ExitCode::SUCCESS
}
