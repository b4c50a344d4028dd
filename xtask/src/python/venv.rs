//! Interpreters of Python, and virtual environments under the target folder.
//!
//! An environment remembers what it was made from, and is made anew when that changes.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;

use crate::{project::Project, setup, shell};

/// The oldest and newest minor release of Python 3 that the package is for.
const MINOR_RELEASES: std::ops::RangeInclusive<u32> = 10..=13;

/// A Python interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    /// Its program.
    pub(crate) program: PathBuf,
    /// Its release, such as `3.11`.
    pub(crate) release: String,
}

impl Interpreter {
    /// What is behind this program, if it is a Python that the package is for.
    pub(crate) fn at(program: impl Into<PathBuf>) -> Option<Self> {
        let program = program.into();
        let code = "import sys; print(sys.version_info.major, sys.version_info.minor)";
        let output = Command::new(&program)
            .args(["-c", code])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let minor: u32 = text.trim().strip_prefix("3 ")?.parse().ok()?;
        MINOR_RELEASES.contains(&minor).then(|| Self {
            program,
            release: format!("3.{minor}"),
        })
    }

    /// The Python at hand, installed if there is none.
    pub(crate) fn at_hand() -> anyhow::Result<Self> {
        setup::need_python()?;
        let found = Self::at("python3").or_else(|| Self::all().into_iter().next());
        found.context("no Python from 3.10 to 3.13 on this machine: install one, then try again")
    }

    /// Every release that can be found on the path or among pyenv's, each once, the oldest first.
    pub(crate) fn all() -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv"));
        let folder = pyenv.or(home).unwrap_or_default().join("versions");
        for minor in MINOR_RELEASES {
            let release = format!("3.{minor}");
            let kept = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let mut of_pyenv: Vec<PathBuf> = kept
                .map(|entry| entry.path())
                .filter(|path| {
                    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
                    name.starts_with(&format!("{release}."))
                })
                .map(|path| path.join("bin/python"))
                .collect();
            of_pyenv.sort();
            let on_path = PathBuf::from(format!("python{release}"));
            let candidates = of_pyenv
                .into_iter()
                .rev()
                .chain([on_path, "python3".into()]);
            let mut fitting = candidates.filter_map(Self::at);
            found.extend(fitting.find(|interpreter| interpreter.release == release));
        }
        found
    }
}

/// A virtual environment.
pub(crate) struct Venv {
    folder: PathBuf,
    /// What installs into it.
    uv: PathBuf,
}

impl Venv {
    /// The environment of this name under `target/python`, with these requirements of pip's.
    pub(crate) fn with(
        project: &Project,
        name: &str,
        interpreter: &Interpreter,
        requirements: &[String],
    ) -> anyhow::Result<Self> {
        let folder = project.target().join("python").join(name);
        let uv = setup::need_uv(project)?;
        let venv = Self { folder, uv };
        let made_from = format!(
            "{}\n{}",
            interpreter.program.display(),
            requirements.join("\n")
        );
        if venv.note("made-from").as_deref() != Some(&made_from) {
            venv.make(interpreter)?;
            if !requirements.is_empty() {
                venv.pip(requirements)?;
            }
            venv.write_note("made-from", &made_from)?;
        }
        Ok(venv)
    }

    /// A new, empty environment, whatever was there before.
    fn make(&self, interpreter: &Interpreter) -> anyhow::Result<()> {
        setup::make_environment(&interpreter.program, &self.folder)?;
        self.pip(&["--upgrade".to_owned(), "pip==26.3".to_owned()])
    }

    /// Installs what pip's arguments say.
    pub(crate) fn pip(&self, arguments: &[String]) -> anyhow::Result<()> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        setup::uv_pip(&self.uv, &self.python(), &arguments)
    }

    /// Compiles the modules of what is installed, as pip does at once and what installs here does not.
    pub(crate) fn compile(&self) -> anyhow::Result<()> {
        let mut compiling = Command::new(self.python());
        compiling
            .args(["-m", "compileall", "-q", "-q"])
            .arg(self.site_packages()?);
        shell::must(compiling).map(drop)
    }

    /// Whether pip can install this; what it says is shown only if it cannot.
    pub(crate) fn try_pip(&self, arguments: &[&str]) -> bool {
        let mut pip = Command::new(self.python());
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(arguments);
        shell::run(pip).is_ok_and(|finished| finished.success)
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// The folder of its packages.
    pub(crate) fn site_packages(&self) -> anyhow::Result<PathBuf> {
        let code = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let output = Command::new(self.python()).args(["-c", code]).output()?;
        Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
    }

    /// The version of an installed distribution, as its metadata say it.
    pub(crate) fn version_of(&self, distribution: &str) -> anyhow::Result<String> {
        let code = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))";
        let output = Command::new(self.python())
            .args(["-c", code, distribution])
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "{distribution} is not installed in {}",
            self.folder.display()
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// What was noted in the environment under this name.
    pub(crate) fn note(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.join(name)).ok()
    }

    /// Notes something in the environment.
    pub(crate) fn write_note(&self, name: &str, text: &str) -> anyhow::Result<()> {
        std::fs::write(self.folder.join(name), text)?;
        Ok(())
    }
}

/// The lines of a file of requirements, without comments.
pub(crate) fn requirements(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = text.lines().map(str::trim);
    Ok(lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}
