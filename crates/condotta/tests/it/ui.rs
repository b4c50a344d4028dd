//! What the compiler says to mistakes. After a change: `TRYBUILD=overwrite cargo test --test ui`.

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
}
