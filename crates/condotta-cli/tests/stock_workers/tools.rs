//! Programs of the stock package other than workers.

use libtest_mimic::Trial;

use crate::{
    processes::{Kind, stock_python},
    stage::Stage,
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("luigi_grep", luigi_grep)]
}

/// `luigi-grep` finds the same tasks on both servers.
fn luigi_grep() {
    let [stock, ours] = [Kind::Stock, Kind::Ours].map(|kind| {
        let stage = Stage::new(kind, "");
        stage.run("worker", "failing Root");
        let search = |flag: &str, text: &str| {
            let python = stock_python().expect("tests that need it look for it before");
            let mut command = stage.place.command(python.with_file_name("luigi-grep"));
            command.args(["--scheduler-host", "127.0.0.1", "--scheduler-port"]);
            command.args([&stage.server.port.to_string(), flag, text]);
            let ended = stage.place.start("grep", &mut command).end().with_code(0);
            let mut lines: Vec<String> = ended.stdout.lines().skip(1).map(str::to_owned).collect();
            // Tasks come in the order of a Python dict, dependencies in that of a set.
            lines.sort();
            lines
        };
        [search("--prefix", "Needs"), search("--status", "failed")]
    });
    assert_eq!(ours, stock);
    assert!(
        ours[0]
            .iter()
            .any(|line| line.starts_with("NeedsBad__99914b932b: PENDING")),
        "{ours:?}"
    );
    assert!(
        ours[1]
            .iter()
            .any(|line| line.starts_with("Bad__99914b932b: FAILED")),
        "{ours:?}"
    );
}
