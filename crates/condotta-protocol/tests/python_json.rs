//! Random values come out as Python writes them, byte for byte.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use condotta_protocol::write_json;
use serde_json::{Map, Value, json};

/// What Luigi's server does with a reply.
const PYTHON: &str = r#"
import json, sys
for line in sys.stdin:
    print(json.dumps(json.loads(line)).replace("</", "<\\/"))
"#;

fn text(rng: &mut fastrand::Rng) -> String {
    let pieces = [
        "a",
        "<",
        "/",
        "</",
        "\"",
        "\\",
        "\n",
        "\t",
        "\u{8}",
        "\u{c}",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "\u{80}",
        "ä",
        "\u{2028}",
        "\u{ffff}",
        "😀",
        "\u{10ffff}",
        "Task__99914b932b",
    ];
    (0..rng.usize(..8))
        .map(|_| pieces[rng.usize(..pieces.len())])
        .collect()
}

fn float(rng: &mut fastrand::Rng) -> f64 {
    let edges = [
        1e16,
        9999999999999998.0,
        1e-4,
        9.999e-5,
        5e-324,
        1e22,
        1e100,
    ];
    let number = match rng.u8(..4) {
        0 => edges[rng.usize(..edges.len())],
        1 => f64::from(rng.i32(..)) / 64.0,
        2 => 1.7e9 + rng.f64() * 1e8,
        _ => f64::from_bits(rng.u64(..)),
    };
    if number.is_finite() { number } else { 0.0 }
}

fn value(rng: &mut fastrand::Rng, depth: usize) -> Value {
    match rng.u8(if depth < 3 { 0..8 } else { 0..6 }) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.i64(..).into(),
        3 => float(rng).into(),
        4 | 5 => text(rng).into(),
        6 => (0..rng.usize(..4)).map(|_| value(rng, depth + 1)).collect(),
        _ => {
            let entries = (0..rng.usize(..4)).map(|_| (text(rng), value(rng, depth + 1)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

/// What Python makes of these values, one a line.
fn python(values: &[Value]) -> String {
    let mut child = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
    let mut input = child.stdin.take().expect("it was piped");
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("python3 ends");
    writer.join().expect("no panic").expect("python3 reads all");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("it is ASCII")
}

#[test]
fn values_are_written_as_python_writes_them() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut values = vec![json!({}), json!([]), json!(u64::MAX), json!(i64::MIN)];
    values.extend((0..5000).map(|_| value(&mut rng, 0)));
    let expected = python(&values);
    assert_eq!(expected.lines().count(), values.len());
    for (value, expected) in values.iter().zip(expected.lines()) {
        let mut out = Vec::new();
        write_json(&mut out, value);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{value}");
    }
}
