//! Runs the benches in earnest and keeps what they print.

use crate::{project::Project, shell};

/// Runs the benches of these names, or all, and keeps each one's table under `target/bench`.
pub(crate) fn run(project: &Project, names: &[&str]) -> anyhow::Result<bool> {
    let benches = project.benches();
    let unknown = |name: &&&str| !benches.iter().any(|bench| bench.name == **name);
    if let Some(name) = names.iter().find(unknown) {
        let all: Vec<_> = benches.iter().map(|bench| bench.name.as_str()).collect();
        anyhow::bail!("no bench {name}: there are {}", all.join(", "));
    }

    let folder = project.target().join("bench");
    std::fs::create_dir_all(&folder)?;
    let mut all_well = true;
    for bench in &benches {
        if !names.is_empty() && !names.contains(&bench.name.as_str()) {
            continue;
        }
        let arguments = ["bench", "--package", &bench.package, "--bench", &bench.name];
        let ran = shell::run(project.cargo(&arguments))?;
        let kept = folder.join(format!("{}-{}.txt", bench.package, bench.name));
        std::fs::write(&kept, &ran.text)?;
        println!("kept in {}", kept.display());
        all_well &= ran.success;
    }
    Ok(all_well)
}
