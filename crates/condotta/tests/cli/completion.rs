//! Completion scripts, as the shells themselves run them.

use std::process::Command;

use crate::program::{Ended, Place};

/// What bash offers for the last of these words.
fn bash(words: &[&str]) -> Vec<String> {
    let place = Place::new();
    let script = place.run("--completion bash").succeeded().stdout;
    place.write("complete.bash", &script);
    let mut command = Command::new("bash");
    place.settle(&mut command);
    let ask = "set -eu; source complete.bash
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))
        function=$(complete -p cli_pipeline | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        $function cli_pipeline \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    command.args(["--norc", "-c", ask, "bash"]).args(words);
    let ended = Ended::from(command.output().unwrap()).succeeded();
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_tasks_and_flags() {
    let tasks = bash(&["cli_pipeline", "Greet"]);
    assert_eq!(tasks, ["Greet", "GreetAfterWait", "GreetAll"]);
    let flags = bash(&["cli_pipeline", "Greet", "--tim"]);
    assert_eq!(flags, ["--times"]);
    let flags = bash(&["cli_pipeline", "Greet", "--worker-k"]);
    assert_eq!(flags, ["--worker-keep-alive"]);
    let values = bash(&["cli_pipeline", "Greet", "--tone", "W"]);
    assert_eq!(values, ["Warm"]);
}

#[test]
fn other_shells_have_scripts_too() {
    let zsh = Place::new().run("--completion zsh").succeeded().stdout;
    assert!(zsh.starts_with("#compdef cli_pipeline"), "{zsh}");
    let fish = Place::new().run("--completion fish").succeeded().stdout;
    assert!(fish.contains("-l worker-keep-alive"), "{fish}");
    let none = Place::new().run("--completion tcsh");
    assert_eq!(none.code, 2);
    none.says("there are bash, zsh and fish");
}
