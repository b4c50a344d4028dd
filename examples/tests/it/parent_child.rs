//! A parent adds up what its children computed, also when it failed at first.

#[path = "../../parent_child/expression.rs"]
mod expression;

use crate::program::Program;

const CHILDREN: &str = "ChildTask(my_param=4+6,len(\"Hello world\"))";

#[test]
fn the_children_of_a_failed_parent_do_not_run_again() {
    let program = Program::example("parent_child");
    let common = [
        "ParentTask",
        "--local-scheduler",
        "--presentation-folder",
        "out",
    ];
    let broken = program.run(&[&common[..], &["--broken"]].concat());
    assert_eq!(
        broken.summary(),
        format!(
            "Scheduled 3 tasks of which:\n\
             * 2 ran successfully:\n    - 2 {CHILDREN}\n\
             * 1 failed:\n    - 1 ParentTask(broken=True)\n\n\
             This progress looks :( because there were failed tasks"
        )
    );
    assert_eq!(program.files("out"), ["4+6", "len(\"Hello world\")"]);

    let mended = program.run(&common);
    assert_eq!(
        mended.summary(),
        format!(
            "Scheduled 3 tasks of which:\n\
             * 2 complete ones were encountered:\n    - 2 {CHILDREN}\n\
             * 1 ran successfully:\n    - 1 ParentTask(broken=False)\n\n\
             This progress looks :) because there were no failed tasks or missing dependencies"
        )
    );
    assert_eq!(program.read("out/4+6"), "10");
    assert_eq!(program.read("out/len(\"Hello world\")"), "11");
    assert_eq!(program.read("out/final_result"), "21");
}
