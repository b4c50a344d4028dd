//! Our server beside stock luigid: the same load on both, in one run, so that the machine's mood is
//! in neither's favour. What counts are the ratios.
//!
//! Started without the word `--bench`, as a test does it, everything is small and nothing is claimed.

#![allow(clippy::unwrap_used, reason = "a bench")]

mod chain;
mod load;
mod servers;
mod together;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use load::{Graph, quantile};
use servers::{Kind, Server, stock_python};

/// How much is done of everything.
struct Size {
    rounds: usize,
    seconds: f64,
    tasks: usize,
    stored_tasks: usize,
    stock_calls: usize,
    chain: usize,
}

const BENCH: Size = Size {
    rounds: 3,
    seconds: 2.0,
    tasks: 100_000,
    stored_tasks: 1_000_000,
    stock_calls: 15,
    chain: 20,
};
const TEST: Size = Size {
    rounds: 1,
    seconds: 0.05,
    tasks: 300,
    stored_tasks: 2_000,
    stock_calls: 2,
    chain: 3,
};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--echo") {
        servers::echo(arguments[at + 1].parse().unwrap());
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let size = if is_bench { BENCH } else { TEST };
    let has_stock = stock_python().is_some();
    if !has_stock {
        println!(
            "stock Luigi is not there, so it is not measured (CONDOTTA_STOCK_LUIGI names its Python)"
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // Names on the command line choose what to measure; without any it is everything.
    let names: Vec<&str> = arguments[1..]
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let is_wanted = |name: &str| names.is_empty() || names.contains(&name);
    runtime.block_on(async {
        if is_wanted("throughput") {
            throughput(&size, has_stock).await;
        }
        if is_wanted("size") {
            at_size(&size, has_stock).await;
        }
        if is_wanted("chain") {
            hops(&size, has_stock);
        }
        if is_wanted("together") {
            together::all_together(&size).await;
        }
        if is_wanted("restart") {
            restart(&size).await;
        }
    });
}

fn kinds(has_stock: bool) -> Vec<Kind> {
    let ours = [Kind::Condotta];
    let stock = has_stock.then_some(Kind::Stock);
    stock.into_iter().chain(ours).collect()
}

/// `add_task` a second, with state kept on disk.
async fn throughput(size: &Size, has_stock: bool) {
    let mut all = kinds(has_stock);
    all.push(Kind::Echo);
    let servers: Vec<(Kind, Server)> = all
        .into_iter()
        .map(|kind| (kind, Server::start(kind)))
        .collect();
    println!("add_task a second (median of {} rounds)", size.rounds);
    print!("connections");
    for (kind, _) in &servers {
        print!("{:>12}", kind.name());
    }
    println!("   x luigid   of echo");
    for connections in [1, 16, 64] {
        let mut rates: Vec<Vec<f64>> = vec![Vec::new(); servers.len()];
        for round in 0..size.rounds {
            for (index, (_, server)) in servers.iter().enumerate() {
                let duration = Duration::from_secs_f64(size.seconds);
                let rate = load::add_task_rate(server.address, connections, duration, round).await;
                rates[index].push(rate);
            }
        }
        let medians: Vec<f64> = rates.iter_mut().map(|rates| median(rates)).collect();
        print!("{connections:>11}");
        for median in &medians {
            print!("{median:>12.0}");
        }
        let of = |kind: Kind| {
            let index = servers.iter().position(|(other, _)| *other == kind);
            index.map(|index| medians[index])
        };
        let ours = of(Kind::Condotta).unwrap();
        let ratio = |other: Option<f64>| {
            other.map_or("-".to_owned(), |other| format!("{:.2}", ours / other))
        };
        println!(
            "{:>11}{:>10}",
            ratio(of(Kind::Stock)),
            ratio(of(Kind::Echo))
        );
    }
}

/// What a server with many tasks does.
async fn at_size(size: &Size, has_stock: bool) {
    println!("\nwith {} tasks", size.tasks);
    println!(
        "server     graph         bytes a task   get_work median      ping p50      p99   beside a browser p50      p99"
    );
    for graph in [Graph::Independent, Graph::Layered] {
        for kind in kinds(has_stock) {
            let server = Server::start(kind);
            let empty = server.memory();
            load::announce(server.address, graph, size.tasks).await;
            let bytes = server.memory().saturating_sub(empty) / size.tasks as u64;
            let calls = if kind == Kind::Stock {
                size.stock_calls
            } else {
                20 * size.stock_calls
            };
            let data = load::get_work("worker");
            let work =
                load::latencies(server.address, "get_work", &data, |done, _| done >= calls).await;
            let (alone, beside) = beside_a_browser(server.address, size).await;
            println!(
                "{:<10} {:<13}{bytes:>13}{:>16}{:>16}{:>12}{:>21}{:>12}",
                kind.name(),
                match graph {
                    Graph::Independent => "independent",
                    Graph::Layered => "layered",
                },
                micros(quantile(&work, 0.5)),
                micros(quantile(&alone, 0.5)),
                micros(quantile(&alone, 0.99)),
                micros(quantile(&beside, 0.5)),
                micros(quantile(&beside, 0.99)),
            );
        }
    }
}

/// Pings, alone and while somebody reads everything again and again.
async fn beside_a_browser(address: SocketAddr, size: &Size) -> (Vec<Duration>, Vec<Duration>) {
    let duration = Duration::from_secs_f64(3.0 * size.seconds);
    let data = r#"{"worker": "worker"}"#;
    let ended = |_: usize, started: Instant| started.elapsed() >= duration;
    let alone = load::latencies(address, "ping", data, ended).await;
    // A thread of its own, so that the browser's reading of huge answers is not measured as waiting.
    let until = Instant::now() + duration;
    let browser = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(load::browse(address, until))
    });
    let beside = load::latencies(address, "ping", data, |_, started| {
        started.elapsed() >= duration && browser.is_finished()
    })
    .await;
    let sizes = browser.join().unwrap();
    assert!(
        sizes.values().all(|size| *size > 2),
        "empty answers: {sizes:?}"
    );
    (alone, beside)
}

/// How long a ready task waits for an idle worker.
fn hops(size: &Size, has_stock: bool) {
    println!(
        "\na chain of {} tasks between two workers: idle time of a hop",
        size.chain
    );
    let show = |name: &str, hops: Vec<Duration>| {
        let ms = |share| quantile(&hops, share).as_secs_f64() * 1e3;
        println!("{name:<10} median {:.1} ms, p90 {:.1} ms", ms(0.5), ms(0.9));
    };
    if has_stock {
        show("luigid", chain::stock(size.chain));
    }
    show("condotta", chain::ours(size.chain));
}

/// How long ours takes to come back after it was killed.
async fn restart(size: &Size) {
    let mut server = Server::start(Kind::Condotta);
    let mut connection = load::Connection::open(server.address).await;
    let batch = 500;
    for first in (0..size.stored_tasks).step_by(batch) {
        let tasks: Vec<String> = (first..first + batch)
            .map(|number| {
                load::announcement("worker", &format!("Load_{number}_{number:010x}"), &[])
            })
            .collect();
        let data = format!("{{\"tasks\": [{}]}}", tasks.join(", "));
        connection.call("add_tasks", &data).await;
    }
    drop(connection);
    let taken = server.restart();
    let mut connection = load::Connection::open(server.address).await;
    let counts = connection
        .ask("count_pending", r#"{"worker": "worker"}"#)
        .await;
    let counts: serde_json::Value = serde_json::from_slice(&counts).unwrap();
    let known = &counts["response"]["n_pending_tasks"];
    assert_eq!(known, size.stored_tasks, "tasks after the restart");
    println!(
        "\nkilled and started again with {} tasks: answers after {:.2} s",
        size.stored_tasks,
        taken.as_secs_f64()
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn micros(duration: Duration) -> String {
    format!("{:.0} µs", duration.as_secs_f64() * 1e6)
}
