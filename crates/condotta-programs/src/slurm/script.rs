//! The script that runs a program on a node and notes with which code it ended.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path};

/// What a script is made of.
pub(super) struct Script<'a> {
    pub(super) program: &'a OsStr,
    pub(super) arguments: &'a [std::ffi::OsString],
    /// For an array: what each element has beside these.
    pub(super) elements: &'a [Vec<std::ffi::OsString>],
    pub(super) input: Option<&'a Path>,
    /// Where the codes go.
    pub(super) folder: &'a Path,
}

impl Script<'_> {
    /// Its bytes. Paths and arguments need be no text.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut script = b"#!/bin/sh\n".to_vec();
        if !self.elements.is_empty() {
            script.extend_from_slice(b"case \"$SLURM_ARRAY_TASK_ID\" in\n");
            for (index, element) in self.elements.iter().enumerate() {
                script.extend(format!("{index}) set --").into_bytes());
                for argument in element {
                    script.push(b' ');
                    quote(argument, &mut script);
                }
                script.extend_from_slice(b" ;;\n");
            }
            script.extend_from_slice(b"esac\n");
        }
        quote(self.program, &mut script);
        for argument in self.arguments {
            script.push(b' ');
            quote(argument, &mut script);
        }
        script.extend_from_slice(b" \"$@\"");
        script.extend_from_slice(b" < ");
        quote(
            self.input.unwrap_or(Path::new("/dev/null")).as_os_str(),
            &mut script,
        );
        script.extend_from_slice(b"\ncode=$?\ncd ");
        quote(self.folder.as_os_str(), &mut script);
        // Whole or not at all: somebody may look at any moment.
        script.extend_from_slice(
            b"\nat=exit.${SLURM_ARRAY_TASK_ID:-0}\necho $code > \"$at.new\" && mv \"$at.new\" \"$at\"\nexit $code\n",
        );
        script
    }
}

/// As one word of a shell.
fn quote(word: &OsStr, to: &mut Vec<u8>) {
    to.push(b'\'');
    for &byte in word.as_bytes() {
        match byte {
            b'\'' => to.extend_from_slice(br"'\''"),
            _ => to.push(byte),
        }
    }
    to.push(b'\'');
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_script_hands_over_what_it_was_given_and_notes_the_code() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in put");
        std::fs::write(&input, "read\n").unwrap();
        let script = Script {
            program: "sh".as_ref(),
            arguments: &["-c", "cat; printf '%s|' \"$@\"; exit 3", "sh", "it's $HOME"]
                .map(Into::into),
            elements: &[vec!["no".into()], vec!["a b".into(), "*".into()]],
            input: Some(&input),
            folder: folder.path(),
        };
        let path = folder.path().join("script");
        std::fs::write(&path, script.bytes()).unwrap();
        let run = Command::new("sh")
            .arg(&path)
            .env("SLURM_ARRAY_TASK_ID", "1")
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(run.stdout).unwrap(),
            "read\nit's $HOME|a b|*|"
        );
        assert_eq!(run.status.code(), Some(3));
        assert_eq!(
            std::fs::read_to_string(folder.path().join("exit.1")).unwrap(),
            "3\n"
        );
    }
}
