//! Runs the benches in earnest and keeps what they print.

use std::process::Command;

use crate::{project::Project, python, setup, shell};

/// The name of the bench that does on stock Luigi what the scheduler's bench does.
const STOCK: &str = "stock";

/// The bench of whole runs of Python pipelines, beside stock Luigi.
const PYTHON: &str = "python";

/// The bench that starts stock luigid itself, to be measured in the same run.
const BESIDE_STOCK: &str = "server";

/// Runs the benches of these names, or all, and keeps each one's table under `target/bench`.
pub(crate) fn run(project: &Project, names: &[&str]) -> anyhow::Result<bool> {
    let benches = project.benches();
    let all: Vec<_> = benches
        .iter()
        .map(|bench| bench.name.as_str())
        .chain([STOCK, PYTHON])
        .collect();
    if let Some(name) = names.iter().find(|name| !all.contains(name)) {
        anyhow::bail!("no bench {name}: there are {}", all.join(", "));
    }
    let is_wanted = |name: &str| names.is_empty() || names.contains(&name);

    let folder = project.target().join("bench");
    std::fs::create_dir_all(&folder)?;
    let mut all_well = true;
    for bench in &benches {
        if !is_wanted(&bench.name) {
            continue;
        }
        let arguments = ["bench", "--package", &bench.package, "--bench", &bench.name];
        let mut command = project.cargo(&arguments);
        if !bench.features.is_empty() {
            command.args(["--features", &bench.features.join(",")]);
            setup::need_services()?;
        }
        if bench.name == BESIDE_STOCK {
            command.env("CONDOTTA_STOCK_LUIGI", setup::stock_luigi(project)?);
        }
        let ran = shell::run(command)?;
        let kept = folder.join(format!("{}-{}.txt", bench.package, bench.name));
        std::fs::write(&kept, &ran.text)?;
        println!("kept in {}", kept.display());
        all_well &= ran.success;
    }
    if is_wanted(PYTHON) {
        python::bench(project)?;
    }
    if is_wanted(STOCK) {
        let mut python = Command::new(setup::stock_luigi(project)?);
        python
            .current_dir(project.root())
            .arg("crates/condotta-scheduler/benches/stock_luigi.py");
        let ran = shell::run(python)?;
        std::fs::write(folder.join("stock-luigi.txt"), &ran.text)?;
        all_well &= ran.success;
    }
    Ok(all_well)
}
