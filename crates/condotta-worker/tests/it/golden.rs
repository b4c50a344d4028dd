//! The execution summary, to the letter: each scenario of `tests/golden` is run here and compared with
//! what Luigi prints for it.

use crate::scenario::{all, dir, run};

#[test]
fn summaries_are_luigis_to_the_letter() {
    let scenarios = all();
    let mut wrong = Vec::new();
    for (name, scenario) in &scenarios {
        let expected = std::fs::read_to_string(dir().join(format!("{name}.txt"))).unwrap();
        let actual = run(scenario);
        if actual != expected {
            wrong.push(format!("{name}: expected\n{expected}\nbut got\n{actual}"));
        }
    }
    assert!(scenarios.len() > 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
