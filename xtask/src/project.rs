//! Where the project's things are, and how its cargo is called.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use serde_json::Value;

use crate::{shell, tally::Tally};

/// The work tree and what cargo says of it.
pub(crate) struct Project {
    root: PathBuf,
    metadata: Value,
}

/// One bench target of the workspace.
pub(crate) struct Bench {
    /// The package it belongs to.
    pub(crate) package: String,
    /// Its own name.
    pub(crate) name: String,
    /// The features of the package that it needs.
    pub(crate) features: Vec<String>,
}

impl Project {
    /// The project that this program was started for.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let manifest_dir = std::env::var("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&manifest_dir)
            .parent()
            .context("the xtask package has no parent folder")?
            .to_owned();
        let output = cargo_in(&root)
            .args(["metadata", "--format-version=1", "--no-deps"])
            .output()
            .context("cannot start cargo")?;
        anyhow::ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata = serde_json::from_slice(&output.stdout)?;
        Ok(Self { root, metadata })
    }

    /// The root of the work tree.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds; things that can be made again may be kept beside it.
    pub(crate) fn target(&self) -> PathBuf {
        PathBuf::from(
            self.metadata["target_directory"]
                .as_str()
                .unwrap_or("target"),
        )
    }

    /// The names of the workspace's packages, in order.
    pub(crate) fn packages(&self) -> Vec<String> {
        let packages = self.metadata["packages"].as_array();
        let mut names: Vec<String> = packages
            .into_iter()
            .flatten()
            .filter_map(|package| package["name"].as_str())
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    }

    /// The bench targets of the workspace.
    pub(crate) fn benches(&self) -> Vec<Bench> {
        let mut benches = Vec::new();
        for package in self.metadata["packages"].as_array().into_iter().flatten() {
            for target in package["targets"].as_array().into_iter().flatten() {
                let kinds = target["kind"].as_array().into_iter().flatten();
                if kinds.filter_map(Value::as_str).any(|kind| kind == "bench") {
                    let features = target["required-features"].as_array().into_iter().flatten();
                    benches.push(Bench {
                        package: package["name"].as_str().unwrap_or_default().to_owned(),
                        name: target["name"].as_str().unwrap_or_default().to_owned(),
                        features: features
                            .filter_map(|feature| feature.as_str().map(str::to_owned))
                            .collect(),
                    });
                }
            }
        }
        benches
    }

    /// Builds all that `cargo test` builds, examples and the command `condotta` among it. For one package
    /// alone most dependencies would be built once more, with the features that it asks for.
    pub(crate) fn programs_of_tests(&self) -> Command {
        self.cargo(&["test", "--workspace", "--no-run"])
    }

    /// A call of cargo for the whole workspace with every feature, those that turn on tests among them. All parts
    /// that want some features build with all, so that what depends on features is built once more, not once a part.
    pub(crate) fn cargo_with_features(&self, arguments: &[&str]) -> Command {
        let mut command = self.cargo(arguments);
        command.args(["--workspace", "--all-features"]);
        command
    }

    /// Runs those tests that features bring.
    pub(crate) fn test_with_features(
        &self,
        which: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Tally> {
        let mut command = self.cargo_with_features(&["test", "--no-fail-fast"]);
        command.args(which);
        change(&mut command);
        let ran = shell::run(command)?;
        Ok(Tally::of_cargo_test(&ran.text, ran.success))
    }

    /// A call of cargo in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo_in(&self.root);
        command.args(arguments);
        command
    }
}

fn cargo_in(root: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root);
    command
}
