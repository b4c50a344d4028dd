//! Tasks of a library in another crate are found, required and run like the program's own.

use crate::program::Program;

#[test]
fn a_task_may_require_one_of_another_crate() {
    let program = Program::example("two_crates");
    std::fs::write(program.path("one.txt"), "to be or not\n").unwrap();
    std::fs::write(program.path("two.txt"), "to be\n").unwrap();
    let ran = program.run(&["TotalWords", "--local-scheduler", "--workers", "2"]);
    let summary = ran.summary();
    assert!(
        summary.contains("    - 2 CountWords(text=one.txt,two.txt)\n    - 1 TotalWords()"),
        "{}",
        ran.stderr
    );
    assert_eq!(program.read("total.txt"), "6");
}

#[test]
fn tasks_of_another_crate_are_run_by_name() {
    let program = Program::example("two_crates");
    std::fs::write(program.path("one.txt"), "to be\nor not\nto be\n").unwrap();
    // The one is there because it is used, the other because it is registered.
    for (family, output, count) in [
        ("CountWords", "one.txt.words", "6"),
        ("CountLines", "one.txt.lines", "3"),
    ] {
        let ran = program.run(&[family, "--local-scheduler", "--text", "one.txt"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(program.read(output), count);
    }
}
