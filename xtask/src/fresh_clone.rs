//! Does what a reader of the README does: clones the project and pastes the commands.
//!
//! The commands are the README's own: every fenced block that is marked `sh paste`.

use std::process::Command;

use crate::{project::Project, setup, shell, tally::Tally};

/// Pastes each marked block of the README into a shell in a fresh clone of what is committed.
pub(crate) fn run(project: &Project) -> anyhow::Result<Tally> {
    setup::need_linker()?;
    setup::need_git()?;
    let folder = tempfile::tempdir()?;
    let clone = folder.path().join("condotta");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--no-hardlinks"])
        .arg(project.root())
        .arg(&clone);
    shell::must(git)?;

    let readme = std::fs::read_to_string(clone.join("README.md"))?;
    let blocks = paste_blocks(&readme);
    anyhow::ensure!(
        !blocks.is_empty(),
        "README.md has no block marked `sh paste`"
    );
    let mut tally = Tally::default();
    for block in blocks {
        println!("{block}");
        let mut sh = Command::new("sh");
        sh.args(["-e", "-c", &block]).current_dir(&clone);
        setup::build_as_user(project, &mut sh);
        tally.add(Tally::one(shell::run(sh)?.success));
    }
    Ok(tally)
}

/// The fenced blocks whose first line says `sh paste`.
fn paste_blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in markdown.lines() {
        match &mut open {
            None if line.trim_end() == "```sh paste" => open = Some(String::new()),
            None => {}
            Some(block) if line.starts_with("```") => {
                blocks.push(std::mem::take(block));
                open = None;
            }
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_are_pasted() {
        let markdown =
            "a\n```sh paste\ntrue\nfalse\n```\n```sh\nrm -r x\n```\n```sh paste\ntrue\n```\n";
        assert_eq!(paste_blocks(markdown), ["true\nfalse\n", "true\n"]);
    }

    #[test]
    fn the_readme_has_commands_to_paste() {
        let readme = include_str!("../../README.md");
        assert!(!paste_blocks(readme).is_empty());
    }
}
